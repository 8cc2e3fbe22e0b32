import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type TokenTarget, tokenKeysOf } from '@scopegate/token-broker'
import fc from 'fast-check'
import { testConnection } from '../test-support/test-connection.ts'

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '"', ',', '\\', ']') })
const fields = fc.record(
  {
    ...{ name: word, revision: word, tokenEndpoint: word, clientId: word },
    ...{ scopes: fc.array(word, { maxLength: 3 }) },
    audience: fc.option(word, { nil: undefined }),
    subject: fc.option(word, { nil: undefined }),
    dpop: fc.boolean(),
  },
  { noNullPrototype: true },
)
type Fields = typeof fields extends fc.Arbitrary<infer Value> ? Value : never

function targetOf({ scopes, audience, subject, ...connection }: Fields): TokenTarget {
  return { connection: testConnection(connection), scopes, audience, subject }
}

/** What makes a token another one, in a form that cannot be mistaken. */
function essence({ scopes, ...rest }: Fields): string {
  return JSON.stringify([
    new Set(scopes).size,
    [...new Set(scopes)].sort(),
    Object.entries(rest).map(([name, value]) => [name, value ?? null]),
  ])
}

describe('the name under which a token is kept', () => {
  test('is the same exactly where the token may be shared', () => {
    fc.assert(
      fc.property(fields, fields, (one, other) => {
        const same = tokenKeysOf(targetOf(one)).token === tokenKeysOf(targetOf(other)).token
        assert.equal(same, essence(one) === essence(other))
      }),
      { numRuns: 500 },
    )
  })

  test('does not mind the order of scopes', () => {
    const target = (scopes: string[]) => tokenKeysOf(targetOf({ ...FIELDS, scopes })).token
    assert.equal(target(['a', 'b', 'a']), target(['b', 'a']))
  })

  test('tells "a" + "bc" from "ab" + "c", and nothing from an empty text', () => {
    const pairs: readonly (readonly [Partial<Fields>, Partial<Fields>])[] = [
      [{ scopes: ['a', 'bc'] }, { scopes: ['ab', 'c'] }],
      [{ scopes: ['a b'] }, { scopes: ['a', 'b'] }],
      [
        { name: 'a', revision: 'bc' },
        { name: 'ab', revision: 'c' },
      ],
      [
        { audience: 'a', subject: 'bc' },
        { audience: 'ab', subject: 'c' },
      ],
      [{ audience: 'x' }, { subject: 'x' }],
      [{ audience: '' }, { audience: undefined }],
    ]
    for (const [one, other] of pairs) {
      const keys = [one, other].map((each) => tokenKeysOf(targetOf({ ...FIELDS, ...each })).token)
      assert.notEqual(keys[0], keys[1], JSON.stringify([one, other]))
    }
  })

  test('is shared by all tokens of one refresh token only where they take turns', () => {
    const connection = testConnection({ grant: 'refresh_token' })
    const keys = (scopes: string[], subject?: string) =>
      tokenKeysOf({ connection, scopes, audience: undefined, subject })
    assert.notEqual(keys(['a']).token, keys(['b']).token)
    assert.equal(keys(['a']).lease, keys(['b']).lease)
    assert.notEqual(keys(['a']).lease, keys(['a'], 'ada').lease)
  })
})

const FIELDS: Fields = {
  ...{ name: 'lab', revision: 'r', tokenEndpoint: 't', clientId: 'c', scopes: ['s'] },
  ...{ audience: undefined, subject: undefined, dpop: false },
}
