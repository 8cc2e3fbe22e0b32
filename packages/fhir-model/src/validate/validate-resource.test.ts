import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateResource } from '@scopegate/fhir-model'

const OBSERVATION = {
  resourceType: 'Observation',
  id: 'o1',
  meta: { versionId: '1', lastUpdated: '2024-02-10T08:00:00Z' },
  text: {
    status: 'generated',
    div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>BP &amp; pulse</p></div>',
  },
  contained: [{ resourceType: 'Practitioner', id: 'd', name: [{ family: 'Doe' }] }],
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }], text: 'BP' },
  subject: { reference: 'Patient/p1' },
  performer: [{ reference: '#d' }, { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' }],
  effectiveDateTime: '2024-02-10T08:00:00+01:00',
  valueQuantity: { value: 1.5, unit: 'mg' },
}
const PATIENT = {
  resourceType: 'Patient',
  active: true,
  gender: 'female',
  name: [
    {
      given: ['Ana', null],
      _given: [null, { extension: [{ url: 'urn:x', valueCode: 'masked' }] }],
    },
  ],
  birthDate: '1970-03',
  _birthDate: { extension: [{ url: 'urn:birthTime', valueDateTime: '1970-03-01T14:35:45-05:00' }] },
}

const SOUND: readonly (readonly [string, object])[] = [
  ['an Observation with narrative, contained resource and quantity', OBSERVATION],
  ['a Patient with extensions on primitives', PATIENT],
  ['a resource with nothing but its type', { resourceType: 'Patient' }],
  [
    'a required element that is there as an extension only',
    {
      ...OBSERVATION,
      status: undefined,
      _status: { extension: [{ url: 'urn:absent', valueCode: 'unknown' }] },
    },
  ],
  [
    'a reference to the container from inside',
    {
      resourceType: 'Patient',
      contained: [
        {
          resourceType: 'Provenance',
          id: 'v',
          target: [{ reference: '#' }],
          recorded: '2024-01-01T00:00:00Z',
          agent: [{ who: { display: 'x' } }],
        },
      ],
    },
  ],
  [
    'resources in a Bundle, each with its own contained ones',
    {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: OBSERVATION }],
    },
  ],
  [
    'base64 with white space',
    { resourceType: 'Binary', contentType: 'text/plain', data: 'aGVs\nbG8=' },
  ],
]

for (const [what, resource] of SOUND)
  test(`${what} is sound`, () => {
    const text = JSON.parse(JSON.stringify(resource))
    assert.deepEqual(validateResource(text), [])
  })

const contained = (...resources: object[]) => ({ resourceType: 'Patient', contained: resources })
const narrative = (div: string) => ({
  resourceType: 'Patient',
  text: { status: 'generated', div },
})
const XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'

/** What is broken, the resource, where, and a part of what is said. */
const BROKEN: readonly (readonly [string, unknown, string, RegExp])[] = [
  ['no object', [], '', /JSON object/],
  ['null', null, '', /JSON object/],
  ['an unknown type', { resourceType: 'Pizza' }, '', /resource type/],
  ['an inherited name as type', { resourceType: 'constructor' }, '', /resource type/],
  ['an unknown element', { ...PATIENT, nickname: 'x' }, 'Patient.nickname', /no such element/],
  ['an inherited name', { ...PATIENT, toString: 'x' }, 'Patient.toString', /no such element/],
  ['a missing element', { ...OBSERVATION, code: undefined }, 'Observation.code', /missing/],
  [
    'a missing array',
    {
      resourceType: 'Provenance',
      recorded: '2024-01-01T00:00:00Z',
      agent: [{ who: { display: 'x' } }],
    },
    'Provenance.target',
    /missing/,
  ],
  ['an object for an array', { ...PATIENT, name: { family: 'x' } }, 'Patient.name', /array/],
  [
    'an array for an object',
    { ...OBSERVATION, subject: [] },
    'Observation.subject',
    /not an array/,
  ],
  [
    'an array for a primitive',
    { ...PATIENT, birthDate: ['1970'] },
    'Patient.birthDate',
    /JSON string/,
  ],
  ['an empty array', { ...PATIENT, name: [] }, 'Patient.name', /empty/],
  ['an empty object', { ...PATIENT, maritalStatus: {} }, 'Patient.maritalStatus', /empty/],
  ['an empty string', { ...PATIENT, birthDate: '' }, 'Patient.birthDate', /empty/],
  ['null', { ...PATIENT, birthDate: null }, 'Patient.birthDate', /JSON string/],
  ['null in an array of objects', { ...PATIENT, name: [null] }, 'Patient.name[0]', /JSON object/],
  [
    'null in an array of primitives without an extension',
    { ...PATIENT, name: [{ given: ['a', null] }] },
    'Patient.name[0].given[1]',
    /extension/,
  ],
  ['a string for a boolean', { ...PATIENT, active: 'true' }, 'Patient.active', /true/],
  [
    'a string for a number',
    { ...OBSERVATION, valueQuantity: { value: '1' } },
    'Observation.valueQuantity.value',
    /number/,
  ],
  ['a number for a string', { ...PATIENT, id: 1 }, 'Patient.id', /string/],
  ['an impossible date', { ...PATIENT, birthDate: '1970-02-30' }, 'Patient.birthDate', /date/],
  [
    'a time in a date',
    { ...PATIENT, birthDate: '1970-02-03T00:00:00Z' },
    'Patient.birthDate',
    /date/,
  ],
  [
    'a dateTime without a zone',
    { ...OBSERVATION, effectiveDateTime: '2024-02-10T08:00:00' },
    'Observation.effectiveDateTime',
    /zone/,
  ],
  [
    'a date for an instant',
    { ...OBSERVATION, issued: '2024-02-10' },
    'Observation.issued',
    /instant/,
  ],
  ['an id that is too long', { ...PATIENT, id: 'a'.repeat(65) }, 'Patient.id', /id/],
  ['an id with an underscore', { ...PATIENT, id: 'a_b' }, 'Patient.id', /id/],
  [
    'a URI with a space',
    { ...PATIENT, implicitRules: 'urn:a b' },
    'Patient.implicitRules',
    /white space/,
  ],
  [
    'a code with spaces at its end',
    { ...OBSERVATION, language: 'en ' },
    'Observation.language',
    /code/,
  ],
  [
    'a NUL in a string',
    { ...PATIENT, name: [{ family: 'a\u0000' }] },
    'Patient.name[0].family',
    /control/,
  ],
  [
    'bad base64',
    { resourceType: 'Binary', contentType: 'text/plain', data: 'a' },
    'Binary.data',
    /base64/,
  ],
  [
    'a fraction for an integer',
    { resourceType: 'Patient', multipleBirthInteger: 1.5 },
    'Patient.multipleBirthInteger',
    /integer/,
  ],
  [
    'zero for a positive integer',
    { resourceType: 'Patient', telecom: [{ rank: 0 }] },
    'Patient.telecom[0].rank',
    /integer/,
  ],
  [
    'two values of one choice',
    { ...OBSERVATION, valueString: 'x' },
    'Observation',
    /valueQuantity.*valueString/,
  ],
  [
    'two values of one choice, one as extension only',
    { ...OBSERVATION, _valueString: { id: 'x' } },
    'Observation',
    /one value/,
  ],
  [
    'a choice that is not offered',
    { ...OBSERVATION, valueAddress: { city: 'x' } },
    'Observation.valueAddress',
    /no such element/,
  ],
  [
    'a code outside its required binding',
    { ...OBSERVATION, status: 'done' },
    'Observation.status',
    /required here/,
  ],
  [
    'a required concept in another system',
    {
      resourceType: 'Condition',
      subject: { reference: 'Patient/p1' },
      clinicalStatus: { coding: [{ system: 'urn:x', code: 'active' }] },
    },
    'Condition.clinicalStatus',
    /required here/,
  ],
  [
    'a sibling of no primitive',
    { ...OBSERVATION, _code: { id: 'x' } },
    'Observation._code',
    /no such element/,
  ],
  [
    'a sibling that is no object',
    { ...PATIENT, _birthDate: 'x' },
    'Patient._birthDate',
    /JSON object/,
  ],
  [
    'a reference to a type not allowed',
    { ...OBSERVATION, subject: { reference: 'Medication/m' } },
    'Observation.subject',
    /type/,
  ],
  [
    'a reference to a contained type not allowed',
    { ...OBSERVATION, subject: { reference: '#d' } },
    'Observation.subject',
    /type/,
  ],
  [
    'a dangling contained reference',
    { ...OBSERVATION, subject: { reference: '#nobody' } },
    'Observation.subject',
    /contained/,
  ],
  [
    'a reference that is none',
    { ...OBSERVATION, subject: { reference: 'p1' } },
    'Observation.subject',
    /no reference/,
  ],
  [
    'a reference to an unknown type',
    { ...OBSERVATION, subject: { reference: 'Pizza/1' } },
    'Observation.subject',
    /no reference/,
  ],
  [
    'a contained resource without an id',
    contained({ resourceType: 'Practitioner' }),
    'Patient.contained[0]',
    /id/,
  ],
  [
    'two contained resources with one id',
    contained(
      { resourceType: 'Practitioner', id: 'a' },
      { resourceType: 'Organization', id: 'a', name: 'x' },
    ),
    'Patient.contained',
    /same `id`/,
  ],
  [
    'a contained resource with a version',
    contained({ resourceType: 'Practitioner', id: 'a', meta: { versionId: '1' } }),
    'Patient.contained[0].meta.versionId',
    /none of its own/,
  ],
  ['an extension on an id', { ...PATIENT, _id: { id: 'x' } }, 'Patient._id', /no such element/],
  ['a NUL in a code', { ...OBSERVATION, language: 'e\u0000n' }, 'Observation.language', /control/],
  [
    'a number beyond any reader',
    { ...OBSERVATION, valueQuantity: JSON.parse('{"value":1e999}') },
    'Observation.valueQuantity.value',
    /out of range/,
  ],
  [
    'nested contained resources',
    contained({
      resourceType: 'Practitioner',
      id: 'a',
      contained: [{ resourceType: 'Organization', id: 'b', name: 'x' }],
    }),
    'Patient.contained[0].contained',
    /contains none/,
  ],
  [
    'an extension without url',
    { ...PATIENT, extension: [{ valueString: 'x' }] },
    'Patient.extension[0].url',
    /missing/,
  ],
  [
    'an extension with value and extensions',
    {
      ...PATIENT,
      extension: [
        { url: 'urn:a', valueString: 'x', extension: [{ url: 'urn:b', valueString: 'y' }] },
      ],
    },
    'Patient.extension[0]',
    /not both/,
  ],
  [
    'an extension with nothing',
    { ...PATIENT, extension: [{ url: 'urn:a' }] },
    'Patient.extension[0]',
    /not both/,
  ],
  [
    'a fault deep in a Bundle',
    {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ resource: { ...PATIENT, gender: 'x' } }],
    },
    'Bundle.entry[0].resource.gender',
    /required here/,
  ],
  ['a script', narrative(`<div ${XHTML}><script>x</script></div>`), 'Patient.text.div', /script/],
  [
    'an event attribute',
    narrative(`<div ${XHTML} onclick="x()">a</div>`),
    'Patient.text.div',
    /onclick/,
  ],
  [
    'a script link',
    narrative(`<div ${XHTML}><a href="java&#x73;cript:x">a</a></div>`),
    'Patient.text.div',
    /active/,
  ],
  ['a frame', narrative(`<div ${XHTML}><iframe src="x"/></div>`), 'Patient.text.div', /iframe/],
  ['an unclosed tag', narrative(`<div ${XHTML}><p>a</div>`), 'Patient.text.div', /end tag/],
  ['a narrative without namespace', narrative('<div>a</div>'), 'Patient.text.div', /xmlns/],
  [
    'two roots',
    narrative(`<div ${XHTML}>a</div><div ${XHTML}>b</div>`),
    'Patient.text.div',
    /one <div>/,
  ],
  ['plain text as narrative', narrative('hello'), 'Patient.text.div', /<div>/],
  ['a bare ampersand', narrative(`<div ${XHTML}>a & b</div>`), 'Patient.text.div', /entity/],
]

/** `undefined` members are not there in JSON. */
function withoutUndefined(resource: unknown): unknown {
  return Array.isArray(resource)
    ? resource
    : Object.fromEntries(
        Object.entries(resource as object).filter(([, value]) => value !== undefined),
      )
}

for (const [what, resource, expression, said] of BROKEN)
  test(`${what} is refused at ${expression || 'the top'}`, () => {
    const problems = validateResource(resource === null ? null : withoutUndefined(resource))
    const [problem] = problems
    assert.equal(problems.length, 1, JSON.stringify(problems))
    assert.equal(problem!.expression, expression)
    assert.match(problem!.text, said)
  })

const QUANTITY = '"valueQuantity":{"value":1.0}'
const WRITTEN: readonly (readonly [string, readonly string[]])[] = [
  ['{"resourceType":"Patient","multipleBirthInteger":2}', []],
  ['{"resourceType":"Patient","multipleBirthInteger":2.0}', ['Patient.multipleBirthInteger']],
  [
    '{"resourceType":"Patient","telecom":[{"rank":1},{"rank" : 1e0 }]}',
    ['Patient.telecom[1].rank'],
  ],
  [
    `{"resourceType":"Patient","extension":[{"url":"urn:x",${QUANTITY}},{"url":"urn:y","valueInteger":1}]}`,
    [],
  ],
  [
    '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"urn:x","valuePositiveInt":10E-1}]}}',
    ['Patient._birthDate.extension[0].valuePositiveInt'],
  ],
  [
    '{"contained":[{"id":"a","multipleBirthInteger":1.0,"resourceType":"Patient"}],"resourceType":"Patient","multipleBirthInteger":1}',
    ['Patient.contained[0].multipleBirthInteger'],
  ],
  [
    '{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{"resource":{"telecom":[{"rank":3.00}],"resourceType":"Patient"}}]}',
    ['Bundle.entry[0].resource.telecom[0].rank'],
  ],
]
for (const [text, expected] of WRITTEN)
  test(`integers are judged as they are written: ${text}`, () => {
    const problems = validateResource(JSON.parse(text), text)
    assert.deepEqual(
      problems.map(({ expression }) => expression),
      expected,
    )
  })

test('every problem is reported, up to a limit', () => {
  const faulty = { resourceType: 'Patient', gender: 'x', active: 1, name: [{ family: '' }] }
  assert.equal(validateResource(faulty).length, 3)
  const many = { resourceType: 'Patient', name: Array.from({ length: 500 }, () => ({})) }
  assert.equal(validateResource(many).length, 50)
})

test('no problem repeats what the resource says', () => {
  const secret = 'Zoe-Nunez'
  const problems = validateResource({
    resourceType: 'Patient',
    id: `${secret}!`,
    gender: secret,
    birthDate: secret,
    managingOrganization: { reference: `${secret}/1` },
    text: { status: 'generated', div: `<div>${secret}</div>` },
  })
  assert.equal(problems.length, 5)
  assert.ok(!JSON.stringify(problems).includes(secret))
})
