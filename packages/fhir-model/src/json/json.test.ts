import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  editReferences,
  type FhirResource,
  parseResource,
  readItems,
  readMembers,
  referencesIn,
  replaceStringsAt,
  withIdAndMeta,
} from '@scopegate/fhir-model'
import fc from 'fast-check'

const SET = { id: 'new', versionId: 7, lastUpdated: '2024-02-10T08:00:00.000Z' }

function problemOf(text: string, maxDepth?: number) {
  const parsed = parseResource(text, maxDepth === undefined ? {} : { maxDepth })
  assert.ok(!parsed.ok, `accepted: ${text}`)
  return parsed.problems[0]!
}

const FAULTS: readonly (readonly [string, string, number, number, RegExp])[] = [
  ['', '', 1, 1, /a value/],
  ['{"resourceType":"Patient"} {}', '', 1, 28, /the end/],
  ['{"resourceType":"Patient",}', '', 1, 27, /member name/],
  ['{"resourceType":"Patient"\n "id":"a"}', '', 2, 2, /`,` or `}`/],
  ['{"name":[{"family":nope}]}', 'name[0].family', 1, 20, /a value/],
  ['{"a":01}', '', 1, 7, /`,` or `}`/],
  ['{"a":+1}', 'a', 1, 6, /a value/],
  ['{"a":.5}', 'a', 1, 6, /a value/],
  ['{"a":1.}', '', 1, 7, /`,` or `}`/],
  ['{"a":NaN}', 'a', 1, 6, /a value/],
  ["{'a':1}", '', 1, 2, /member name/],
  ['{"a":"x\ty"}', 'a', 1, 8, /control/],
  ['{"a":"\\x"}', 'a', 1, 7, /escape/],
  ['{"a":"\\u12"}', 'a', 1, 7, /escape/],
  ['{"a":"x', 'a', 1, 8, /end of a string/],
  ['[1,]', '[1]', 1, 4, /a value/],
  ['\ufeff{"resourceType":"Patient"}', '', 1, 1, /a value/],
  ['{"a":1,"a":2}', 'a', 1, 8, /twice/],
  ['{"a":1,\n"\\u0061":2}', 'a', 2, 1, /twice/],
  ['{"x":[{"a":{"b":1,"c":2,"b":3}}]}', 'x[0].a.b', 1, 25, /twice/],
  ['{"__proto__":1,"__proto__":2}', '__proto__', 1, 16, /twice/],
]
for (const [text, expression, line, column, said] of FAULTS)
  test(`refuses ${JSON.stringify(text)} at line ${line}, column ${column}`, () => {
    const problem = problemOf(text)
    assert.equal(problem.expression, expression)
    assert.equal(problem.line, line)
    assert.equal(problem.column, column)
    assert.match(problem.text, said)
  })

test('finds a duplicate among many members', () => {
  const members = Array.from({ length: 60 }, (_, index) => `"m${index}":${index}`)
  assert.match(problemOf(`{${members.join()},"m3":0}`).text, /twice/)
  assert.match(problemOf(`{${members.join()},"m59":0}`).text, /twice/)
})

test('refuses what is no resource', () => {
  for (const text of ['[]', 'null', '"x"', '1', 'true'])
    assert.match(problemOf(text).text, /object/)
  for (const text of ['{}', '{"resourceType":1}'])
    assert.match(problemOf(text).text, /resourceType/)
})

test('refuses nesting beyond the limit, however deep, without exhausting the stack', () => {
  const nested = (depth: number): string =>
    `{"resourceType":"Patient","x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  assert.ok(parseResource(nested(100)).ok)
  assert.match(problemOf(nested(101)).text, /deeper than 100/)
  assert.match(problemOf('['.repeat(1_000_000)).text, /deeper/)
  assert.match(problemOf('{"a":'.repeat(1_000_000)).text, /deeper/)
  assert.match(problemOf(nested(5), 4).text, /deeper than 4/)
})

const jsonText = fc
  .tuple(fc.json({ maxDepth: 5 }), fc.constantFrom('', ' ', '\n', '\t '))
  .map(([json, space]) => space + json + space)

test('agrees with JSON.parse on every text without duplicates', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const body = `{"resourceType":"Basic","value":${text}}`
      const parsed = parseResource(body)
      assert.ok(parsed.ok)
      assert.deepEqual(parsed.resource, JSON.parse(body))
    }),
  )
})

test('a text that JSON.parse refuses is refused', () => {
  fc.assert(
    fc.property(jsonText, fc.nat(), fc.string({ maxLength: 2 }), (text, at, garbage) => {
      const body = `{"resourceType":"Basic","value":${text}}`
      const place = at % body.length
      const broken = body.slice(0, place) + garbage + body.slice(place + 1)
      const refused = (() => {
        try {
          JSON.parse(broken)
          return false
        } catch {
          return true
        }
      })()
      if (refused) assert.ok(!parseResource(broken).ok, broken)
    }),
    { numRuns: 500 },
  )
})

const set = (text: string): string => withIdAndMeta(text, JSON.parse(text) as FhirResource, SET)

test('sets id and meta and leaves every other byte', () => {
  const meta = '"versionId":"7","lastUpdated":"2024-02-10T08:00:00.000Z"'
  const cases: readonly (readonly [string, string])[] = [
    [
      '{"resourceType":"Basic","x":1.00}',
      `{"resourceType":"Basic","id":"new","meta":{${meta}},"x":1.00}`,
    ],
    [
      '{ "x" : 1e400 ,\n "resourceType" : "Basic" }',
      `{ "x" : 1e400 ,\n "resourceType" : "Basic","id":"new","meta":{${meta}} }`,
    ],
    [
      '{"resourceType":"Basic","id":"old","meta":{}}',
      `{"resourceType":"Basic","id":"new","meta":{${meta}}}`,
    ],
    [
      '{"resourceType":"Basic","id":"old","meta":{ "tag":[{"code":"id"}] }}',
      `{"resourceType":"Basic","id":"new","meta":{${meta}, "tag":[{"code":"id"}] }}`,
    ],
    [
      '{"meta":{"lastUpdated":"2001","tag":[],"versionId":"1"},"id":"old","resourceType":"Basic"}',
      '{"meta":{"lastUpdated":"2024-02-10T08:00:00.000Z","tag":[],"versionId":"7"},"id":"new","resourceType":"Basic"}',
    ],
    [
      '{"resourceType":"Basic","meta":{"versionId":"1"},"contained":[{"id":"in","meta":{"versionId":"x"}}]}',
      '{"resourceType":"Basic","id":"new","meta":{"lastUpdated":"2024-02-10T08:00:00.000Z","versionId":"7"},"contained":[{"id":"in","meta":{"versionId":"x"}}]}',
    ],
    [
      '{"resourceType":"Basic","\\u0069d":"old","meta":null}',
      `{"resourceType":"Basic","\\u0069d":"new","meta":{${meta}}}`,
    ],
  ]
  for (const [text, expected] of cases) assert.equal(set(text), expected)
})

test('setting id and meta changes nothing else, for any resource', () => {
  const member = fc.string({ minLength: 1 }).filter((name) => !['id', 'meta'].includes(name))
  fc.assert(
    fc.property(
      fc.dictionary(member, fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true }),
      fc.option(fc.constantFrom('old', 'o"\\ld')),
      fc.option(fc.constantFrom({}, { versionId: '1' }, { tag: [], lastUpdated: 'x' })),
      fc.constantFrom(undefined, 2),
      fc.boolean(),
      (members, id, meta, indent, typeLast) => {
        const own = {
          ...(id === null ? {} : { id }),
          ...(meta === null ? {} : { meta }),
        }
        const type = { resourceType: 'Basic' }
        const resource = typeLast
          ? { ...members, ...own, ...type }
          : { ...type, ...own, ...members, ...type }
        const edited = set(JSON.stringify(resource, null, indent))
        assert.ok(parseResource(edited).ok)
        const { versionId, lastUpdated } = { ...SET, versionId: '7' }
        assert.deepEqual(JSON.parse(edited), {
          ...JSON.parse(JSON.stringify(resource)),
          id: 'new',
          meta: { ...(meta ?? {}), versionId, lastUpdated },
        })
        assert.equal(set(edited), edited)
      },
    ),
  )
})

test('replaces strings at their places only', () => {
  const text = '{ "a": [ "x", {"b":"x", "c": 1.0} ], "b" : "x" }'
  assert.equal(
    replaceStringsAt(text, [
      { path: ['b'], value: 'q"' },
      { path: ['a', 1, 'b'], value: 'y' },
      { path: ['a', 9], value: 'no' },
      { path: ['a', 1, 'c'], value: 'no' },
    ]),
    '{ "a": [ "x", {"b":"y", "c": 1.0} ], "b" : "q\\"" }',
  )
})

const URN = 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'
const URL_ = 'http://a.example/fhir/Patient/1'
const MAP = new Map([
  [URN, 'Patient/new'],
  [URL_, 'Patient/other'],
])
const edit = (resource: object): unknown => {
  const text = JSON.stringify(resource, null, 1)
  return JSON.parse(editReferences(text, resource as FhirResource, MAP))
}

test('rewrites references, in contained resources and extensions too', () => {
  const observation = (subject: string, other: string) => ({
    resourceType: 'Observation',
    contained: [{ resourceType: 'Encounter', id: 'e', subject: { reference: subject } }],
    subject: { reference: subject, display: subject },
    performer: [{ reference: 'Patient/1' }, { reference: other }],
    extension: [{ url: 'urn:x', valueReference: { reference: subject } }],
    _status: { extension: [{ url: 'urn:y', valueReference: { reference: subject } }] },
  })
  const expected = observation('Patient/new', 'Patient/other')
  assert.deepEqual(edit(observation(URN, URL_)), {
    ...expected,
    subject: { reference: 'Patient/new', display: URN },
  })
})

test('rewrites narrative links, and leaves their text', () => {
  const div = (target: string): string =>
    `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${target}">${URN}</a><img src='${target}#x'/></div>`
  const patient = (target: string) => ({
    resourceType: 'Patient',
    text: { status: 'generated', div: div(target) },
  })
  assert.deepEqual(edit(patient(URN)), patient('Patient/new'))
})

test('rewrites uri elements for URNs only, and never identifiers or canonicals', () => {
  const before = {
    resourceType: 'Communication',
    identifier: [{ system: 'urn:ietf:rfc:3986', value: URN }],
    instantiatesCanonical: [URN],
    instantiatesUri: [URN, URL_],
    payload: [{ contentAttachment: { url: URN } }],
  }
  assert.deepEqual(edit(before), {
    ...before,
    instantiatesUri: ['Patient/new', URL_],
    payload: [{ contentAttachment: { url: 'Patient/new' } }],
  })
})

test('keeps a fragment, and the text when nothing fits', () => {
  assert.deepEqual(edit({ resourceType: 'Task', for: { reference: `${URN}#part` } }), {
    resourceType: 'Task',
    for: { reference: 'Patient/new#part' },
  })
  const text = '{ "resourceType" : "Task", "for":{"reference":"Patient/1"}, "x":1.0 }'
  assert.equal(editReferences(text, JSON.parse(text) as FhirResource, MAP), text)
  assert.equal(editReferences(text, JSON.parse(text) as FhirResource, new Map()), text)
})

test('lists every reference with its place', () => {
  assert.deepEqual(
    referencesIn({
      resourceType: 'Observation',
      subject: { reference: 'Patient/1' },
      performer: [{ display: 'x' }, { reference: URN }],
      note: [{ text: 'reference' }],
    }),
    [
      { path: ['subject', 'reference'], reference: 'Patient/1' },
      { path: ['performer', 1, 'reference'], reference: URN },
    ],
  )
})

test('reading spans ends on text of another kind, too', () => {
  for (const text of ['null}', '7,8]', '"x"}', '}', '{"a":1}', '', 'x y z']) {
    assert.ok([...readItems(text, 0)].length <= text.length, text)
    assert.ok([...readMembers(text, 0)].length <= text.length, text)
  }
})
