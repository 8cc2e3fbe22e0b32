import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  extract,
  extractAll,
  type FhirResource,
  isCaseSensitive,
  isResourceType,
  RESOURCE_TYPES,
  searchParameter,
  searchParameters,
} from '@scopegate/fhir-model'

const LOINC = 'http://loinc.org'
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'

const OBSERVATION: FhirResource = {
  resourceType: 'Observation',
  id: 'o1',
  meta: {
    lastUpdated: '2024-02-10T08:00:00.123Z',
    profile: ['http://hl7.org/fhir/StructureDefinition/vitalsigns'],
    tag: [{ system: 'urn:tags', code: 'a' }],
    security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    source: 'urn:lab#1',
  },
  status: 'final',
  category: [
    { coding: [{ system: CATEGORY, code: 'vital-signs' }], text: 'Vitals' },
    { text: 'Laboratory' },
  ],
  code: {
    coding: [{ system: LOINC, code: '85354-9', display: 'Blood pressure' }, { code: 'bp' }],
    text: 'BP',
  },
  subject: { reference: 'Patient/p1' },
  performer: [{ reference: 'Practitioner/d1' }, { reference: '#inner' }],
  effectiveDateTime: '2024-02-10',
  component: [
    {
      code: { coding: [{ system: LOINC, code: '8480-6' }] },
      valueQuantity: {
        value: 120,
        unit: 'mmHg',
        system: 'http://unitsofmeasure.org',
        code: 'mm[Hg]',
      },
    },
    {
      code: { coding: [{ system: LOINC, code: '8462-4' }] },
      valueQuantity: {
        value: 80,
        unit: 'mmHg',
        system: 'http://unitsofmeasure.org',
        code: 'mm[Hg]',
      },
    },
  ],
}

const PATIENT: FhirResource = {
  resourceType: 'Patient',
  id: 'p1',
  active: true,
  gender: 'female',
  birthDate: '1970-03',
  identifier: [
    {
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
      system: 'urn:hospital',
      value: '12345',
    },
    { value: 'bare' },
    { system: 'urn:only-system' },
    { use: 'old' },
  ],
  name: [{ text: 'Zoë Núñez', family: 'Núñez', given: ['Zoë', 'M.'], prefix: ['Dr.'] }],
  address: [{ line: ['1 Main St'], city: 'Łódź', postalCode: '90-001' }],
  telecom: [
    { system: 'email', value: 'zoe@example.org' },
    { system: 'phone', value: '+48 555 1234' },
  ],
}

test('a token is each coding, never a text or a display', () => {
  assert.deepEqual(extract('Observation', 'category', OBSERVATION), [
    { kind: 'token', system: CATEGORY, code: 'vital-signs' },
  ])
  assert.deepEqual(extract('Observation', 'code', OBSERVATION), [
    { kind: 'token', system: LOINC, code: '85354-9' },
    { kind: 'token', code: 'bp' },
  ])
})

test('a code element carries the system that its binding implies', () => {
  assert.deepEqual(extract('Patient', 'gender', PATIENT), [
    { kind: 'token', impliedSystem: 'http://hl7.org/fhir/administrative-gender', code: 'female' },
  ])
})

test('an Identifier gives system, value and the codings of its type', () => {
  assert.deepEqual(extract('Patient', 'identifier', PATIENT), [
    {
      kind: 'token',
      system: 'urn:hospital',
      code: '12345',
      types: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }],
    },
    { kind: 'token', code: 'bare' },
    { kind: 'token', system: 'urn:only-system' },
  ])
})

test('booleans and contact points are tokens without a system', () => {
  assert.deepEqual(extract('Patient', 'active', PATIENT), [{ kind: 'token', code: 'true' }])
  assert.deepEqual(extract('Patient', 'telecom', PATIENT), [
    { kind: 'token', code: 'zoe@example.org', ignoresCase: true },
    { kind: 'token', code: '+48 555 1234', ignoresCase: true },
  ])
})

test('where(system=…) keeps the contact points of that kind', () => {
  assert.deepEqual(extract('Patient', 'email', PATIENT), [
    { kind: 'token', code: 'zoe@example.org', ignoresCase: true },
  ])
  assert.deepEqual(extract('Patient', 'phone', PATIENT), [
    { kind: 'token', code: '+48 555 1234', ignoresCase: true },
  ])
})

test('deceased is a token in every case: absent, false, true, at a time', () => {
  const deceased = (members: object) =>
    extract('Patient', 'deceased', { resourceType: 'Patient', ...members })
  assert.deepEqual(deceased({}), [{ kind: 'token', code: 'false' }])
  assert.deepEqual(deceased({ deceasedBoolean: false }), [{ kind: 'token', code: 'false' }])
  assert.deepEqual(deceased({ deceasedBoolean: true }), [{ kind: 'token', code: 'true' }])
  assert.deepEqual(deceased({ deceasedDateTime: '2020' }), [{ kind: 'token', code: 'true' }])
})

test('the parts of names and addresses are strings, folded and exact', () => {
  assert.deepEqual(extract('Patient', 'name', PATIENT), [
    { kind: 'string', folded: 'zoe nunez', exact: 'Zoë Núñez' },
    { kind: 'string', folded: 'nunez', exact: 'Núñez' },
    { kind: 'string', folded: 'zoe', exact: 'Zoë' },
    { kind: 'string', folded: 'm.', exact: 'M.' },
    { kind: 'string', folded: 'dr.', exact: 'Dr.' },
  ])
  assert.deepEqual(
    extract('Patient', 'address', PATIENT).map((value) => value.kind === 'string' && value.exact),
    ['1 Main St', 'Łódź', '90-001'],
  )
})

test('a date covers its whole span, in UTC', () => {
  assert.deepEqual(extract('Patient', 'birthdate', PATIENT), [
    { kind: 'date', fromMs: Date.UTC(1970, 2, 1), toMs: Date.UTC(1970, 3, 1) },
  ])
  assert.deepEqual(extract('Observation', 'date', OBSERVATION), [
    { kind: 'date', fromMs: Date.UTC(2024, 1, 10), toMs: Date.UTC(2024, 1, 11) },
  ])
  assert.deepEqual(extract('Observation', '_lastUpdated', OBSERVATION), [
    {
      kind: 'date',
      fromMs: Date.UTC(2024, 1, 10, 8, 0, 0, 123),
      toMs: Date.UTC(2024, 1, 10, 8, 0, 0, 124),
    },
  ])
})

test('a Period has open ends, and no value when an end cannot be read', () => {
  const date = (period: object) =>
    extract('Encounter', 'date', { resourceType: 'Encounter', period } as FhirResource)
  assert.deepEqual(date({ start: '2024' }), [
    { kind: 'date', fromMs: Date.UTC(2024, 0, 1), toMs: Number.POSITIVE_INFINITY },
  ])
  assert.deepEqual(date({ end: '2024-01' }), [
    { kind: 'date', fromMs: Number.NEGATIVE_INFINITY, toMs: Date.UTC(2024, 1, 1) },
  ])
  assert.deepEqual(date({ start: '2024', end: 'soon' }), [])
  assert.deepEqual(date({}), [])
})

test('a Timing covers its outer limits', () => {
  const timing = {
    event: ['2024-01-05', '2024-03-01'],
    repeat: { boundsPeriod: { start: '2024-01-01', end: '2024-02-01' } },
  }
  assert.deepEqual(
    extract('Observation', 'date', { resourceType: 'Observation', effectiveTiming: timing }),
    [{ kind: 'date', fromMs: Date.UTC(2024, 0, 1), toMs: Date.UTC(2024, 2, 2) }],
  )
  const daily = { code: { text: 'daily' } }
  assert.deepEqual(
    extract('Observation', 'date', { resourceType: 'Observation', effectiveTiming: daily }),
    [],
  )
})

test('a reference is relative, versioned, foreign, a URN, an identifier, or nothing', () => {
  const subject = (reference: object, base?: string) =>
    extract(
      'Observation',
      'subject',
      { resourceType: 'Observation', subject: reference } as FhirResource,
      base === undefined ? {} : { base },
    )
  assert.deepEqual(subject({ reference: 'Patient/p1' }), [
    { kind: 'reference', type: 'Patient', id: 'p1' },
  ])
  assert.deepEqual(subject({ reference: 'Patient/p1/_history/2' }), [
    { kind: 'reference', type: 'Patient', id: 'p1', version: '2' },
  ])
  const absolute = { reference: 'http://a.example/fhir/Patient/p1' }
  assert.deepEqual(subject(absolute), [
    { kind: 'reference', url: 'http://a.example/fhir/Patient/p1' },
  ])
  assert.deepEqual(subject(absolute, 'http://a.example/fhir'), [
    { kind: 'reference', type: 'Patient', id: 'p1' },
  ])
  assert.deepEqual(subject(absolute, 'http://a.example/fh'), [
    { kind: 'reference', url: 'http://a.example/fhir/Patient/p1' },
  ])
  assert.deepEqual(subject({ reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' }), [
    { kind: 'reference', url: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' },
  ])
  assert.deepEqual(subject({ identifier: { system: 'urn:s', value: 'v' } }), [
    { kind: 'reference', identifier: { system: 'urn:s', value: 'v' } },
  ])
  assert.deepEqual(subject({ reference: '#p' }), [])
  assert.deepEqual(subject({ reference: 'Patient?identifier=x' }), [])
  assert.deepEqual(subject({ reference: '/Patient/p1' }), [])
  assert.deepEqual(subject({ display: 'Ana' }), [])
})

test('patient follows subject only where the reference names a Patient', () => {
  const patient = (reference: object) =>
    extract('Observation', 'patient', {
      resourceType: 'Observation',
      subject: reference,
    } as FhirResource)
  assert.equal(patient({ reference: 'Patient/p1' }).length, 1)
  assert.equal(patient({ reference: 'http://elsewhere.example/Patient/p1' }).length, 1)
  assert.equal(patient({ reference: 'urn:uuid:x', type: 'Patient' }).length, 1)
  assert.equal(patient({ reference: 'urn:uuid:x' }).length, 0)
  assert.equal(patient({ reference: 'Group/g1' }).length, 0)
  assert.equal(patient({ reference: 'Group/g1', type: 'Patient' }).length, 0)
  assert.equal(patient({ reference: 'PatientX/p1' }).length, 0)
})

test('a canonical splits its version off', () => {
  const response = {
    resourceType: 'QuestionnaireResponse',
    questionnaire: 'http://a.example/Questionnaire/q|2.0#part',
  }
  assert.deepEqual(extract('QuestionnaireResponse', 'questionnaire', response), [
    { kind: 'reference', url: 'http://a.example/Questionnaire/q', version: '2.0' },
  ])
})

test('a quantity with a comparator is open on one side', () => {
  const quantity = (value: object) =>
    extract('Observation', 'value-quantity', {
      resourceType: 'Observation',
      valueQuantity: value,
    } as FhirResource)
  assert.deepEqual(quantity({ value: 5, comparator: '<', unit: 'mg' }), [
    {
      kind: 'quantity',
      value: 5,
      low: Number.NEGATIVE_INFINITY,
      high: 5,
      comparator: '<',
      unit: 'mg',
    },
  ])
  assert.deepEqual(quantity({ unit: 'mg' }), [])
  assert.deepEqual(quantity({ value: '5' }), [])
})

test('money is a quantity in its currency', () => {
  const invoice = { resourceType: 'Invoice', totalGross: { value: 12.5, currency: 'EUR' } }
  assert.deepEqual(extract('Invoice', 'totalgross', invoice), [
    {
      kind: 'quantity',
      value: 12.5,
      low: 12.5,
      high: 12.5,
      system: 'urn:iso:std:iso:4217',
      code: 'EUR',
    },
  ])
})

test('a number may keep its text as JSON.rawJSON', () => {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  const risk = (probability: unknown) =>
    extract('RiskAssessment', 'probability', {
      resourceType: 'RiskAssessment',
      prediction: [{ probabilityDecimal: probability }],
    })
  assert.deepEqual(risk(0.5), [{ kind: 'number', value: 0.5, low: 0.5, high: 0.5 }])
  assert.deepEqual(risk(rawJSON('0.50')), risk(0.5))
})

test('a composite ties its parts in the same component', () => {
  const values = extract('Observation', 'component-code-value-quantity', OBSERVATION)
  assert.deepEqual(
    values.map((value) =>
      value.kind === 'composite'
        ? value.parts.map(([part]) =>
            part?.kind === 'token' ? part.code : part?.kind === 'quantity' ? part.value : undefined,
          )
        : [],
    ),
    [
      ['8480-6', 120],
      ['8462-4', 80],
    ],
  )
})

test('a composite without one of its parts gives nothing', () => {
  assert.deepEqual(extract('Observation', 'code-value-quantity', OBSERVATION), [])
})

test('a combo parameter sees the root and the components', () => {
  assert.equal(extract('Observation', 'combo-code', OBSERVATION).length, 4)
  const combo = extract('Observation', 'combo-code-value-quantity', OBSERVATION)
  assert.equal(combo.length, 2)
})

test('the universal parameters look into id and meta', () => {
  assert.deepEqual(extract('Observation', '_id', OBSERVATION), [{ kind: 'token', code: 'o1' }])
  assert.deepEqual(extract('Observation', '_profile', OBSERVATION), [
    { kind: 'uri', uri: 'http://hl7.org/fhir/StructureDefinition/vitalsigns' },
  ])
  assert.deepEqual(extract('Observation', '_tag', OBSERVATION), [
    { kind: 'token', system: 'urn:tags', code: 'a' },
  ])
  assert.equal(extract('Observation', '_security', OBSERVATION).length, 1)
  assert.deepEqual(extract('Observation', '_source', OBSERVATION), [
    { kind: 'uri', uri: 'urn:lab#1' },
  ])
})

test('a document Bundle refers to its Composition', () => {
  const bundle = {
    resourceType: 'Bundle',
    type: 'document',
    entry: [{ resource: { resourceType: 'Composition', id: 'c1' } }],
  }
  assert.deepEqual(extract('Bundle', 'composition', bundle), [
    { kind: 'reference', type: 'Composition', id: 'c1' },
  ])
})

test('extractAll agrees with extract, parameter by parameter', () => {
  for (const resource of [OBSERVATION, PATIENT]) {
    const all = new Map(
      extractAll(resource.resourceType, resource).map(([parameter, values]) => [
        parameter.code,
        values,
      ]),
    )
    for (const { code } of searchParameters(resource.resourceType))
      assert.deepEqual(all.get(code) ?? [], extract(resource.resourceType, code, resource), code)
  }
})

test('a resource of another type gives nothing', () => {
  assert.deepEqual(extract('Condition', 'code', OBSERVATION), [])
  assert.deepEqual(extractAll('Condition', OBSERVATION), [])
})

test('the registry knows what R4 defines, and nothing that objects inherit', () => {
  assert.equal(RESOURCE_TYPES.length, 146)
  assert.ok(isResourceType('Patient'))
  for (const name of ['constructor', '__proto__', 'patient', 'Resource', 'DomainResource', ''])
    assert.ok(!isResourceType(name), name)
  for (const name of ['constructor', '__proto__', 'toString'])
    assert.equal(searchParameter('Patient', name), undefined)
  assert.deepEqual(searchParameters('constructor'), [])
  assert.equal(
    RESOURCE_TYPES.reduce((sum, type) => sum + searchParameters(type).length, 0) > 2500,
    true,
  )
})

test('a parameter tells its type, targets and components', () => {
  const patient = searchParameter('Observation', 'patient')!
  assert.equal(patient.type, 'reference')
  assert.deepEqual(patient.targets, ['Patient'])
  assert.equal(patient.url, 'http://hl7.org/fhir/SearchParameter/clinical-patient')
  assert.deepEqual(searchParameter('Observation', 'subject')!.targets, [
    'Device',
    'Group',
    'Location',
    'Patient',
  ])
  const composite = searchParameter('Observation', 'code-value-quantity')!
  assert.deepEqual(
    composite.components.map(({ code, type }) => [code, type]),
    [
      ['code', 'token'],
      ['value-quantity', 'quantity'],
    ],
  )
})

test('codes differ by case unless their system says otherwise', () => {
  assert.ok(isCaseSensitive(LOINC))
  assert.ok(isCaseSensitive(undefined))
  assert.ok(!isCaseSensitive('http://snomed.info/sct'))
})
