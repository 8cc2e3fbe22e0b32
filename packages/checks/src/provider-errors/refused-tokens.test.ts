import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readBearerChallenge, readTokenClaims, tokenFactsOf } from '@scopegate/checks'
import fc from 'fast-check'

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: object) => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.signature`
const NOW_SECONDS = 1_900_000_000

describe('a challenge', () => {
  test('is read with its parameters, quoted or not, whatever stands before it', () => {
    assert.deepEqual(
      readBearerChallenge(
        'Basic realm="x", Bearer realm="fhir", error=invalid_token, error_description="it \\"ended\\"", scope="a b", claims="eyJ9", resource_metadata="https://fhir.example/.well-known/oauth-protected-resource"',
      ),
      {
        error: 'invalid_token',
        description: 'it "ended"',
        scopes: ['a', 'b'],
        hasClaims: true,
        metadataUrl: 'https://fhir.example/.well-known/oauth-protected-resource',
        shown:
          'Bearer realm="fhir", error=invalid_token, error_description="it \\"ended\\"", scope="a b", claims="eyJ9", resource_metadata="https://fhir.example/.well-known/oauth-protected-resource"',
      },
    )
  })

  test('of another scheme, and none, is no challenge for a token', () => {
    for (const header of [null, '', 'Basic realm="Bearer"', 'Negotiate']) {
      assert.equal(readBearerChallenge(header), undefined, String(header))
    }
  })

  test('is found among several headers, in any quoting', () => {
    const one = readBearerChallenge(
      'Bearer realm="x", error = invalid_token , error_description="a, c"',
    )
    assert.deepEqual([one?.error, one?.description], ['invalid_token', 'a, c'])
    const two = readBearerChallenge(['Basic realm="x"', 'DPoP scope="a b", claims="e30="'])
    assert.deepEqual([two?.scopes, two?.hasClaims], [['a', 'b'], true])
    assert.equal(readBearerChallenge(undefined), undefined)
  })

  test('of hostile length and quotes ends', () => {
    const hostile = fc.string({ maxLength: 20_000 })
    fc.assert(fc.property(hostile, (text) => void readBearerChallenge(`Bearer ${text}`)))
    for (const header of [`Bearer ${'a="'.repeat(100_000)}`, `Bearer a="${'\\'.repeat(100_000)}`]) {
      assert.ok((readBearerChallenge(header)?.shown.length ?? 0) <= 400)
    }
  })
})

describe('what a token says', () => {
  const facts = (claims: object, granted: readonly string[] = []) =>
    tokenFactsOf(jwt(claims), { granted, isAppOnly: true, nowSeconds: NOW_SECONDS })

  test('is read as Entra, Keycloak and Okta write it', () => {
    assert.deepEqual(facts({ aud: 'api://lab', roles: ['Reader'], exp: 1_900_000_060 }), {
      audiences: ['api://lab'],
      scopes: [],
      roles: ['Reader'],
      secondsLeft: 60,
      isOpaque: false,
      isAppOnly: true,
    })
    const keycloak = facts({
      iss: 'https://idp.example/realms/lab',
      aud: ['account', 'fhir'],
      scope: 'openid email',
      realm_access: { roles: ['offline_access'] },
      resource_access: { fhir: { roles: ['reader'] }, odd: null },
    })
    assert.deepEqual(keycloak.audiences, ['account', 'fhir'])
    assert.deepEqual(keycloak.scopes, ['openid', 'email'])
    assert.deepEqual(keycloak.roles, ['offline_access', 'fhir/reader'])
    assert.deepEqual(facts({ scp: ['a', 'b'] }).scopes, ['a', 'b'])
  })

  test('names nobody, and tells whether somebody is behind it', () => {
    const claims = { sub: 'jane', name: 'Jane', preferred_username: 'jane', azp: 'app' }
    const known = { granted: [], nowSeconds: NOW_SECONDS }
    assert.deepEqual(tokenFactsOf(jwt(claims), known), {
      ...{ audiences: [], scopes: [], roles: [], isOpaque: false, isAppOnly: false },
    })
    assert.equal(tokenFactsOf(jwt({ sub: 'app', azp: 'app' }), known).isAppOnly, true)
    assert.equal(tokenFactsOf(jwt({ idtyp: 'app' }), known).isAppOnly, true)
    assert.equal(tokenFactsOf('opaque', known).isAppOnly, false)
  })

  test('of the wrong kind is left out, and the scopes of the answer serve', () => {
    const odd = facts({ aud: 7, roles: 'Reader', scope: 7, exp: 'soon', iss: {} }, ['a'])
    assert.deepEqual(odd, {
      audiences: [],
      scopes: ['a'],
      roles: ['Reader'],
      isOpaque: false,
      isAppOnly: true,
    })
  })

  test('of an opaque or broken token is nothing', () => {
    for (const token of [
      'opaque',
      'a.b.c',
      `${encoded([])}.x.y`,
      `e30.${'bnVsbA'}.x`,
      'a.b.c.d.e',
    ]) {
      assert.equal(readTokenClaims(token), undefined, token)
    }
  })
})
