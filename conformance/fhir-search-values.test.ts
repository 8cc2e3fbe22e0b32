import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FhirResource } from '@scopegate/fhir-model'
import { callerOf, EVERYTHING, type FhirCaller, idsOf } from './fhir-caller.ts'
import { openHarness } from './open-harness.ts'

// search.html: #token, #string, #reference, #date, #number, #quantity, #uri, #composite. Items 53 to 58.
const harness = await openHarness()

const LN = 'http://loinc.org'
const UCUM = 'http://unitsofmeasure.org'
const YN = 'http://terminology.hl7.org/CodeSystem/v2-0203'

type Named = FhirResource & { readonly id: string }

function seen(id: string, more: object): Named {
  return { resourceType: 'Observation', id, status: 'final', code: { text: id }, ...more }
}
function dated(id: string, effective: object): Named {
  return seen(id, { method: { coding: [{ code: 'dated' }] }, ...effective })
}
function valued(id: string, value: object): Named {
  return seen(id, { method: { coding: [{ code: 'valued' }] }, valueQuantity: value })
}

const WORLD: readonly Named[] = [
  // token
  seen('t-system', {
    code: { coding: [{ system: LN, code: 'abc', display: 'Glucose' }], text: 'Sugar' },
  }),
  seen('t-upper', { code: { coding: [{ system: LN, code: 'ABC' }] } }),
  seen('t-none', { code: { coding: [{ code: 'abc' }] } }),
  seen('t-other', { code: { coding: [{ system: 'http://other.example', code: 'abc' }] } }),
  seen('t-text', { code: { text: 'abc' } }),
  // people: string, boolean token, identifiers and contact points
  {
    resourceType: 'Patient',
    id: 'anna',
    active: true,
    name: [{ family: 'Müller-Lüdenscheidt', given: ['Anna', 'Maria'], prefix: ['Dr.'] }],
    telecom: [
      { system: 'phone', value: '+49 30 1', use: 'home' },
      { system: 'email', value: 'Anna@example.org' },
    ],
    address: [{ city: 'Köln', line: ['Hauptstraße 1'], country: 'DE' }],
    gender: 'female',
    birthDate: '1970-05-20',
    identifier: [
      {
        system: 'http://mrn.example',
        value: '123',
        type: { coding: [{ system: YN, code: 'MR' }] },
      },
    ],
    managingOrganization: { reference: 'Organization/org' },
    generalPractitioner: [{ identifier: { system: 'http://gp.example', value: 'gp-1' } }],
  },
  {
    resourceType: 'Patient',
    id: 'hannah',
    active: false,
    name: [{ family: 'Mueller', given: ['Hannah'] }],
    birthDate: '1970-05',
    gender: 'female',
    identifier: [
      { value: '123' },
      {
        system: 'http://ssn.example',
        value: '123',
        type: { coding: [{ system: YN, code: 'SS' }] },
      },
    ],
  },
  { resourceType: 'Patient', id: 'nobody' },
  { resourceType: 'Organization', id: 'org', name: 'MÜNCHEN Klinik' },
  { resourceType: 'Group', id: 'anna', type: 'person', actual: true },
  // references
  seen('r-patient', { subject: { reference: 'Patient/anna' } }),
  seen('r-group', { subject: { reference: 'Group/anna' } }),
  seen('r-version', { subject: { reference: 'Patient/anna/_history/1' } }),
  seen('r-foreign', { subject: { reference: 'http://other.example/fhir/Patient/anna' } }),
  seen('r-identifier', {
    subject: { identifier: { system: 'http://mrn.example', value: '123' }, type: 'Patient' },
  }),
  // dates
  dated('d-day', { effectiveDateTime: '2024-02-10' }),
  dated('d-month', { effectiveDateTime: '2024-02' }),
  dated('d-year', { effectiveDateTime: '2024' }),
  dated('d-instant', { effectiveDateTime: '2024-02-10T08:00:00Z' }),
  dated('d-zone', { effectiveDateTime: '2024-02-11T01:00:00+05:00' }),
  dated('d-period', { effectivePeriod: { start: '2024-02-01', end: '2024-02-20' } }),
  dated('d-open', { effectivePeriod: { start: '2024-03-01' } }),
  dated('d-until', { effectivePeriod: { end: '2023-12-31' } }),
  dated('d-timing', { effectiveTiming: { event: ['2025-06-01', '2025-06-03'] } }),
  dated('d-none', {}),
  // quantities
  valued('q-100', { value: 100, unit: 'mg', system: UCUM, code: 'mg' }),
  valued('q-100.0', { value: 100.04, unit: 'mg', system: UCUM, code: 'mg' }),
  valued('q-105', { value: 105, unit: 'mg', system: UCUM, code: 'mg' }),
  valued('q-g', { value: 100, unit: 'g', system: UCUM, code: 'g' }),
  valued('q-local', { value: 100, unit: 'mg' }),
  valued('q-less', { value: 5, comparator: '<', system: UCUM, code: 'mg' }),
  valued('q-more', { value: 500, comparator: '>=', system: UCUM, code: 'mg' }),
  valued('q-minus', { value: -3, system: UCUM, code: 'mg' }),
  // numbers
  ...(
    [
      ['n-08', 0.8],
      ['n-080', 0.8],
      ['n-1', 1],
      ['n-small', 0.0001],
    ] as const
  ).map(
    ([id, probability]): Named => ({
      resourceType: 'RiskAssessment',
      id,
      status: 'final',
      subject: { reference: 'Patient/anna' },
      prediction: [{ probabilityDecimal: probability }],
    }),
  ),
  // uri and canonical
  ...[
    'http://acme.example/fhir/ValueSet/1',
    'http://acme.example/fhir/ValueSet/1/a',
    'http://acme.example/fhir',
    'urn:oid:1.2.3',
    'http://acme.example/fhirX',
  ].map(
    (url, index): Named => ({ resourceType: 'ValueSet', id: `u-${index}`, url, status: 'active' }),
  ),
  ...(
    [
      ['c-plain', 'http://q.example/q'],
      ['c-version', 'http://q.example/q|1.0'],
      ['c-other', 'http://q.example/q2'],
    ] as const
  ).map(
    ([id, questionnaire]): Named => ({
      resourceType: 'QuestionnaireResponse',
      id,
      status: 'completed',
      questionnaire,
    }),
  ),
  // composites
  seen('k-both', {
    code: { coding: [{ system: LN, code: 'bp' }] },
    component: [
      { code: { coding: [{ system: LN, code: 'sys' }] }, valueQuantity: { value: 140 } },
      { code: { coding: [{ system: LN, code: 'dia' }] }, valueQuantity: { value: 80 } },
    ],
  }),
  seen('k-root', {
    code: { coding: [{ system: LN, code: 'sys' }] },
    valueQuantity: { value: 140 },
  }),
]

describe('values of search parameters', () => {
  let all: FhirCaller

  before(async () => {
    await harness.reset(WORLD.map((resource) => ({ kind: 'put', resource })))
    all = await callerOf(harness, EVERYTHING)
  })
  after(() => harness.close())

  async function expectFound(table: readonly (readonly [search: string, ids: string])[]) {
    for (const [search, ids] of table) {
      const answer = await all(`GET ${search}&_count=100`)
      assert.equal(answer.status, 200, `${search} ${answer.text}`)
      const got = idsOf(answer, 'match').map((place) => place.split('/')[1]!)
      assert.deepEqual(got.sort(), ids.split(' ').filter(Boolean).sort(), search)
      assert.equal(answer.json.total, got.length)
    }
  }
  async function expectRefused(searches: readonly string[]) {
    for (const search of searches) {
      const answer = await all(`GET ${search}`)
      assert.equal(answer.status, 400, `${search} ${answer.text.slice(0, 200)}`)
      const name = search.slice(search.indexOf('?') + 1).split(/[=:]/)[0]!
      assert.ok(answer.json.issue[0].details.text.includes(name), answer.text)
      assert.match(answer.json.issue[0].diagnostics, /to do: /)
    }
  }

  test('53 token: code, system|code, |code and system| mean what they say; text and display never match', async () => {
    await expectFound([
      ['Observation?code=abc', 't-system t-none t-other'],
      [`Observation?code=${LN}|abc`, 't-system'],
      ['Observation?code=|abc', 't-none'],
      [`Observation?code=${LN}|`, 't-system t-upper k-both k-root'],
      ['Observation?code=ABC', 't-upper'],
      ['Observation?code=Glucose', ''],
      ['Observation?code=Sugar', ''],
      ['Observation?code=|Glucose', ''],
      [`Observation?code=${LN}|abc,http://other.example|abc`, 't-system t-other'],
      [`Observation?code=${LN.toUpperCase()}|abc`, ''],
    ])
  })

  test('53 token: booleans, plain codes, identifiers and contact points', async () => {
    await expectFound([
      ['Patient?active=true', 'anna'],
      ['Patient?active=false', 'hannah'],
      ['Patient?gender=female', 'anna hannah'],
      ['Patient?gender=http://hl7.org/fhir/administrative-gender|female', 'anna hannah'],
      ['Patient?identifier=123', 'anna hannah'],
      ['Patient?identifier=http://mrn.example|123', 'anna'],
      ['Patient?identifier=|123', 'hannah'],
      ['Patient?identifier=http://mrn.example|', 'anna'],
      [`Patient?identifier:of-type=${YN}|MR|123`, 'anna'],
      [`Patient?identifier:of-type=${YN}|SS|123`, 'hannah'],
      [`Patient?identifier:of-type=${YN}|MR|1`, ''],
      ['Patient?telecom=%2B49%2030%201', 'anna'],
      ['Patient?email=Anna@example.org', 'anna'],
      ['Patient?email=anna@EXAMPLE.org', 'anna'],
      ['Patient?telecom=|anna@example.org', 'anna'],
      ['Patient?email=http://mail.example|anna@example.org', ''],
      ['Patient?phone=Anna@example.org', ''],
      ['Patient?deceased=false', 'anna hannah nobody'],
    ])
    await expectRefused([
      'Patient?active=perhaps',
      'Patient?identifier:of-type=MR|123',
      'Patient?identifier=a|b|c',
    ])
  })

  test('53 token: :not includes what lacks the element; the modifiers that need terminology are refused', async () => {
    await expectFound([
      ['Patient?gender:not=female', 'nobody'],
      ['Patient?gender:not=male', 'anna hannah nobody'],
      ['Patient?identifier:not=http://mrn.example|123', 'hannah nobody'],
      ['Patient?identifier:not=http://mrn.example|123,http://ssn.example|123', 'nobody'],
    ])
    await expectRefused(
      ['text', 'in', 'not-in', 'above', 'below'].map(
        (modifier) => `Observation?code:${modifier}=x`,
      ),
    )
  })

  test('54 string: starts with, whatever case and accents, in every part of a name or address', async () => {
    await expectFound([
      ['Patient?family=mull', 'anna'],
      ['Patient?family=MÜLL', 'anna'],
      ['Patient?family=mu', 'anna hannah'],
      ['Patient?family=uller', ''],
      ['Patient?given=ann', 'anna'],
      ['Patient?given=maria', 'anna'],
      ['Patient?name=mar', 'anna'],
      ['Patient?name=dr', 'anna'],
      ['Patient?name=luden', ''],
      ['Patient?address=koln', 'anna'],
      ['Patient?address=hauptstra', 'anna'],
      ['Patient?address-city=köl', 'anna'],
      ['Organization?name=munchen', 'org'],
      ['Patient?family=mull,muel', 'anna hannah'],
    ])
  })

  test('54 string: :contains anywhere, :exact as written', async () => {
    await expectFound([
      ['Patient?given:contains=NNA', 'anna hannah'],
      ['Patient?family:contains=luden', 'anna'],
      ['Patient?given:exact=Anna', 'anna'],
      ['Patient?given:exact=anna', ''],
      ['Patient?given:exact=Ann', ''],
      ['Organization?name:exact=MÜNCHEN Klinik', 'org'],
      ['Organization?name:exact=MUNCHEN Klinik', ''],
      ['Organization?name:contains=%25', ''],
      ['Organization?name:contains=_', ''],
    ])
  })

  test('55 reference: by id, type and id, address, version, type modifier and identifier', async () => {
    const { baseUrl } = harness
    await expectFound([
      ['Observation?subject=anna', 'r-patient r-group r-version'],
      ['Observation?subject=Patient/anna', 'r-patient r-version'],
      ['Observation?subject:Patient=anna', 'r-patient r-version'],
      ['Observation?subject:Group=anna', 'r-group'],
      [`Observation?subject=${baseUrl}/Patient/anna`, 'r-patient r-version'],
      ['Observation?subject=http://other.example/fhir/Patient/anna', 'r-foreign'],
      ['Observation?subject=Patient/anna/_history/1', 'r-version'],
      ['Observation?subject=Patient/anna/_history/2', ''],
      ['Observation?patient=anna', 'r-patient r-version'],
      ['Observation?patient=Patient/anna', 'r-patient r-version'],
      ['Observation?subject:identifier=http://mrn.example|123', 'r-identifier'],
      ['Observation?subject:identifier=http://mrn.example|124', ''],
      ['Patient?general-practitioner:identifier=http://gp.example|gp-1', 'anna'],
      ['Observation?subject=Patient/ANNA', ''],
    ])
    await expectRefused([
      'Observation?subject=Medication/1',
      'Observation?subject:Medication=1',
      'Observation?subject=Patient/a/b',
    ])
  })

  test('55 reference: a canonical is found with and without its version', async () => {
    await expectFound([
      ['QuestionnaireResponse?questionnaire=http://q.example/q', 'c-plain c-version'],
      ['QuestionnaireResponse?questionnaire=http://q.example/q|1.0', 'c-version'],
      ['QuestionnaireResponse?questionnaire=http://q.example/q|2.0', ''],
    ])
  })

  test('56 date: eq is containment, ne its opposite, the other prefixes look at the ends', async () => {
    const of = (query: string) => `Observation?method=dated&date=${query}`
    await expectFound([
      [of('2024-02-10'), 'd-day d-instant d-zone'],
      [of('eq2024-02'), 'd-day d-month d-instant d-zone d-period'],
      [of('2024'), 'd-day d-month d-year d-instant d-zone d-period'],
      [of('2024-02-10T08:00:00Z'), 'd-instant'],
      [of('2024-02-10T08:00Z'), 'd-instant'],
      [of('2024-02-10T10:00:00%2B02:00'), 'd-instant'],
      [of('2024-02-10T10:00:00+02:00'), 'd-instant'],
      [of('2024-02-10T20:00:00Z'), 'd-zone'],
      [of('ne2024-02'), 'd-year d-open d-until d-timing'],
      [of('gt2024-02-20'), 'd-month d-year d-open d-timing'],
      [of('lt2024-01-01'), 'd-until'],
      [of('ge2024-03-01'), 'd-year d-open d-timing'],
      [of('le2023-12-31'), 'd-until'],
      [of('sa2024-02-20'), 'd-open d-timing'],
      [of('eb2024-01-01'), 'd-until'],
      [of('ge2024-02-10&date=lt2024-02-11'), 'd-day d-month d-year d-instant d-zone d-period'],
      [of('2025-06-02'), ''],
      [of('2025-06'), 'd-timing'],
    ])
    await expectFound([
      ['Patient?birthdate=1970', 'anna hannah'],
      ['Patient?birthdate=1970-05-20', 'anna'],
      ['Patient?birthdate=1970-05', 'anna hannah'],
      ['Observation?method=dated&date:missing=true', 'd-none'],
    ])
  })

  test('56 date: ap widens by a tenth of the distance from now', async () => {
    const year = new Date().getUTCFullYear()
    await expectFound([
      [`Patient?birthdate=ap${1970 + Math.floor((year - 1970) * 0.05)}`, 'anna hannah'],
      [`Patient?birthdate=ap${year - 1}`, ''],
    ])
  })

  test('56 date: what is no date is refused', async () => {
    await expectRefused(
      [
        'yesterday',
        '2024-13',
        '2024-02-30',
        '24',
        '2024-2-1',
        '2024-02-10T25:00:00Z',
        '2024-02-10T08',
        'xx2024',
        'gtgt2024',
        '2024-02-10T08:00:00%2B99:00',
      ].map((value) => `Observation?date=${value}`),
    )
  })

  test('57 quantity: implicit precision, prefixes, systems and codes', async () => {
    const of = (query: string) => `Observation?method=valued&value-quantity=${query}`
    await expectFound([
      [of('100'), 'q-100 q-100.0 q-g q-local'],
      [of('100.00'), 'q-100 q-g q-local'],
      // One significant digit: [95, 105), the specification's own example.
      [of('1e2'), 'q-100 q-100.0 q-g q-local'],
      [of(`100|${UCUM}|mg`), 'q-100 q-100.0'],
      [of('100||mg'), 'q-100 q-100.0 q-local'],
      [of('100||g'), 'q-g'],
      [of(`gt100|${UCUM}|mg`), 'q-100.0 q-105 q-more'],
      [of(`lt100|${UCUM}|mg`), 'q-less q-minus'],
      [of(`ge105|${UCUM}|mg`), 'q-105 q-more'],
      [of('-3'), 'q-minus'],
      [of(`ap100|${UCUM}|mg`), 'q-100 q-100.0 q-105'],
      [of('100|http://other.example|mg'), ''],
    ])
    await expectRefused(
      ['much', '1|mg', '1|a|b|c', '--1', '0x10', 'NaN', 'Infinity', '1e'].map(
        (value) => `Observation?value-quantity=${encodeURIComponent(value)}`,
      ),
    )
  })

  test('57 quantity: a stored comparator stands for a range', async () => {
    const of = (query: string) => `Observation?method=valued&value-quantity=${query}`
    await expectFound([
      [of('gt600'), 'q-more'],
      [of('lt-100'), 'q-less'],
      [of('5'), ''],
    ])
  })

  test('57 number: implicit precision and prefixes', async () => {
    await expectFound([
      ['RiskAssessment?probability=0.8', 'n-08 n-080'],
      ['RiskAssessment?probability=0.80', 'n-08 n-080'],
      ['RiskAssessment?probability=1', 'n-08 n-080 n-1'],
      ['RiskAssessment?probability=gt0.8', 'n-1'],
      ['RiskAssessment?probability=lt0.8', 'n-small'],
      ['RiskAssessment?probability=1e-4', 'n-small'],
      ['RiskAssessment?probability=ne1', 'n-small'],
      ['RiskAssessment?probability=1.0', 'n-1'],
    ])
    await expectRefused(['RiskAssessment?probability=high', 'RiskAssessment?probability=0.8|x'])
  })

  test('58 uri: as written, and :below and :above along the path', async () => {
    await expectFound([
      ['ValueSet?url=http://acme.example/fhir/ValueSet/1', 'u-0'],
      ['ValueSet?url=http://acme.example/FHIR/ValueSet/1', ''],
      ['ValueSet?url=urn:oid:1.2.3', 'u-3'],
      // What starts with the value, as the specification says; a final slash keeps to the path.
      ['ValueSet?url:below=http://acme.example/fhir', 'u-0 u-1 u-2 u-4'],
      ['ValueSet?url:below=http://acme.example/fhir/ValueSet/1', 'u-0 u-1'],
      ['ValueSet?url:above=http://acme.example/fhir/ValueSet/1/a/b', 'u-0 u-1 u-2'],
      ['ValueSet?url:below=http://acme.example/fhir/', 'u-0 u-1'],
    ])
    await expectRefused(['ValueSet?url:below=urn:oid:1.2', 'ValueSet?url:contains=acme'])
  })

  test('58 special parameters are refused', async () => {
    await expectRefused(['Location?near=1|2|3|km'])
  })

  test('58 a composite ties its parts together in one component', async () => {
    await expectFound([
      ['Observation?component-code-value-quantity=sys$140', 'k-both'],
      ['Observation?component-code-value-quantity=sys$80', ''],
      ['Observation?component-code-value-quantity=dia$lt90', 'k-both'],
      [`Observation?component-code-value-quantity=${LN}|sys$gt100`, 'k-both'],
      ['Observation?combo-code-value-quantity=sys$140', 'k-both k-root'],
      ['Observation?code-value-quantity=sys$140', 'k-root'],
      ['Observation?combo-code-value-quantity=sys$80,dia$80', 'k-both'],
    ])
    await expectRefused([
      'Observation?code-value-quantity=sys',
      'Observation?code-value-quantity=sys$1$2',
      'Observation?code-value-quantity=sys$',
    ])
  })
})
