import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { repeatsMember } from './repeats-member.ts'

test('a member that is there twice is found at any depth, however it is spelled', () => {
  for (const json of [
    '{"a":1,"a":2}',
    '{"sub":"x","b":[{"c":{"d":1,"d":1}}]}',
    '{"iss":"x","\\u0069ss":"y"}',
    '{ "a" : "}" , "b":"\\"", "a":null}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ]) {
    assert.ok(repeatsMember(json), json)
  }
})

test('the same name in other objects, and in values, is none', () => {
  for (const json of [
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":["a","a"]}',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '[]',
    '{}',
    '"a"',
  ]) {
    assert.ok(!repeatsMember(json), json)
  }
})

test('law: what JSON.stringify writes repeats nothing; one more member of a name that is there does', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
      const json = JSON.stringify(value)
      assert.ok(!repeatsMember(json))
      const [name = ''] = Object.keys(value)
      assert.ok(repeatsMember(`${json.slice(0, -1)},${JSON.stringify(name)}:1}`))
    }),
  )
})
