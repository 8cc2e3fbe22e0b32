import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { asHeaderValue, identityHeadersOf } from './identity-headers.ts'
import { readClaim, readListClaim, readTextClaim } from './read-claim.ts'

describe('a text in a header', () => {
  test('is visible ASCII without spaces at its ends, and decodes to what it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = asHeaderValue(text)
        assert.match(value, /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/)
        assert.equal(decodeURIComponent(value), text.toWellFormed())
      }),
    )
  })

  test('of two different texts is never the same', () => {
    const text = fc.string({ unit: fc.constantFrom('%', '2', 'C', '5', ',', ' ', 'ü', 'a') })
    fc.assert(
      fc.property(text, text, (a, b) => {
        assert.equal(asHeaderValue(a) === asHeaderValue(b), a === b)
      }),
    )
  })

  test('stays as it is where nothing has to be encoded', () => {
    for (const text of ['user1', 'jane.doe@example.org', 'Jane Doe', "o'neil"]) {
      assert.equal(asHeaderValue(text), text)
    }
    assert.equal(asHeaderValue('Jürgen'), 'J%C3%BCrgen')
    assert.equal(asHeaderValue('a\r\nX-Admin: 1'), 'a%0D%0AX-Admin: 1')
  })
})

test('identity headers: lists keep their items apart, and who has no value gets no header', () => {
  const caller = {
    username: 'u',
    subject: 's',
    issuer: 'https://idp.example',
    scopes: new Set(['a', 'b']),
    roles: new Set(['x,y', 'z']),
    claims: { groups: ['one', 'two,three'], deep: { level: 3 } },
  }
  const headers = [
    ['X-Scopes', 'scopes'],
    ['X-Roles', 'roles'],
    ['X-Client', 'client'],
    ['X-Groups', 'claim:groups'],
    ['X-Level', 'claim:/deep/level'],
    ['X-None', 'claim:nothing'],
  ] as const
  assert.deepEqual(identityHeadersOf(caller, { headers }), [
    ...['X-Scopes', 'a b'],
    ...['X-Roles', 'x%2Cy,z'],
    ...['X-Groups', 'one,two%2Cthree'],
    ...['X-Level', '3'],
  ])
})

test('a claim is found by name or pointer, and nothing inherited is one', () => {
  const claims = { 'https://x/y': 'by name', a: { 'b/c': ['r1', 2, 'r2'] }, words: 'r1  r2', n: 0 }
  assert.equal(readTextClaim(claims, 'https://x/y'), 'by name')
  assert.deepEqual(readListClaim(claims, '/a/b~1c'), ['r1', 'r2'])
  assert.deepEqual(readListClaim(claims, 'words'), ['r1', 'r2'])
  assert.equal(readTextClaim(claims, 'n'), '0')
  for (const path of ['constructor', '/constructor/name', '/a/toString', '__proto__', '/', '']) {
    assert.equal(readClaim(claims, path), undefined, path)
  }
})
