import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { ClientRegistration } from '@scopegate/oauth-model'
import { checkRegistration } from './check-registration.ts'
import { isNative, originsOf } from './client.ts'

const network = { allowLoopback: false, allowPrivateHosts: [] }
const app: ClientRegistration = {
  name: 'App',
  scopes: 'openid fhirUser launch/patient patient/*.rs offline_access',
  grants: ['authorization_code', 'refresh_token'],
  redirectUris: ['https://app.example/callback'],
}
const check = (more: Partial<ClientRegistration>) => checkRegistration({ ...app, ...more }, network)
const publicKey = (kid: string) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }),
  kid,
})

describe('a registration of an app with users', () => {
  test('stands, with defaults', () => {
    const { problems, checked } = check({})
    assert.deepEqual(problems, [])
    assert.equal(checked?.consent, 'ask')
    assert.equal(checked?.public, false)
    assert.deepEqual(checked?.postLogoutRedirectUris, [])
  })

  for (const uri of [
    'https://app.example/callback?tenant=1',
    'http://127.0.0.1:3000/callback',
    'http://localhost:3000/callback',
    'http://[::1]:3000/callback',
    'http://127.0.0.1/callback',
    'com.example.app:/callback',
    'https://oauth.pstmn.io/v1/callback',
  ]) {
    test(`may have the redirect URI ${uri}`, () => {
      assert.deepEqual(check({ redirectUris: [uri] }).problems, [])
    })
  }

  for (const [uri, says] of [
    ['/callback', /not an absolute URL/],
    ['https://app.example/cb#here', /fragment/],
    ['https://app.example/cb#', /fragment/],
    ['https://*.app.example/cb', /wildcard/],
    ['https://app.example/*', /wildcard/],
    ['http://app.example/cb', /not https/],
    ['http://127.0.0.1.evil.example/cb', /not https/],
    ['javascript:alert(1)', /belongs to no app/],
    ['data:text/html,x', /belongs to no app/],
    ['myapp:/cb', /belongs to no app/],
    ['https://user:pw@app.example/cb', /user name or a password/],
    ['https://app.example\\@evil.example/cb', /must encode/],
    ['https://app.example/a b', /must encode/],
    ['https://äpp.example/cb', /must encode/],
    [`https://app.example/${'a'.repeat(2000)}`, /longer/],
  ] as const) {
    test(`may not have the redirect URI ${uri.slice(0, 40)}`, () => {
      for (const member of ['redirectUris', 'postLogoutRedirectUris'] as const) {
        const { problems, checked } = check({ [member]: [uri] })
        assert.equal(checked, undefined)
        assert.ok(problems.some((problem) => problem.member === member && says.test(problem.why)))
        assert.ok(problems.every(({ fix }) => fix !== ''))
      }
    })
  }

  for (const [what, more, member, says] of [
    ['no redirect URI', { redirectUris: [] }, 'redirectUris', /none/],
    [
      'redirect URIs and no code',
      { grants: ['client_credentials'], scopes: 'system/*.rs' },
      'grants',
      /without `authorization_code`/,
    ],
    [
      'refresh tokens alone',
      { grants: ['refresh_token'], redirectUris: [], scopes: 'system/*.rs' },
      'grants',
      /alone/,
    ],
    ['the implicit grant', { grants: ['implicit'] }, 'grants', /OAuth 2\.1/],
    [
      'client credentials, being public',
      { public: true, grants: ['authorization_code', 'refresh_token', 'client_credentials'] },
      'grants',
      /public client/,
    ],
    ['keys, being public', { public: true, jwks: { keys: [publicKey('a')] } }, 'public', /keys/],
    ['a system scope', { scopes: 'openid system/*.rs' }, 'scopes', /client itself/],
    ['an admin scope', { scopes: 'openid admin/clients.read' }, 'scopes', /client itself/],
    [
      'offline access without refresh tokens',
      { grants: ['authorization_code'] },
      'scopes',
      /refresh tokens/,
    ],
    ['a launch URL that is a script', { launchUrl: 'javascript:alert(1)' }, 'launchUrl', /https/],
    ['a logo on plain http', { logoUri: 'http://app.example/logo.png' }, 'logoUri', /https/],
    ['an origin with a path', { origins: ['https://app.example/'] }, 'origins', /origin/],
    [
      'a back-channel into the own network',
      { backchannelLogoutUri: 'https://10.0.0.1/logout' },
      'backchannelLogoutUri',
      /./,
    ],
    ['a strange way to ask', { consent: 'never' }, 'consent', /way to ask/],
    ['tokens for a day', { accessTokenSeconds: 86_400 }, 'accessTokenSeconds', /range/],
    ['half seconds', { refreshTokenSeconds: 99.5 }, 'refreshTokenSeconds', /range/],
    ['a name that turns text around', { name: 'App\u202egnp' }, 'name', /control/],
  ] as const) {
    test(`with ${what} does not`, () => {
      const { problems, checked } = check(more as Partial<ClientRegistration>)
      assert.equal(checked, undefined)
      assert.ok(
        problems.some((problem) => problem.member === member && says.test(problem.why)),
        JSON.stringify(problems),
      )
    })
  }

  test('with a key set that shows a private key, or names two keys alike, does not', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const secret = { ...privateKey.export({ format: 'jwk' }), kid: 'a' }
    for (const [keys, says] of [
      [[secret], /private/],
      [[publicKey('a'), publicKey('a')], /two keys/],
    ] as const) {
      const { problems } = check({ jwks: { keys } })
      assert.match(problems[0]?.why ?? '', says)
      assert.ok(!JSON.stringify(problems).includes(String(secret.d)))
    }
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
    const mixed = { keys: [publicKey('a'), { ...rsa.export({ format: 'jwk' }), kid: 'a' }] }
    assert.match(check({ jwks: mixed }).problems[0]?.why ?? '', /same `kid`/)
  })

  test('reports every problem at once', () => {
    const { problems } = check({ name: '', redirectUris: ['/x'], consent: 'no' })
    assert.deepEqual(
      problems.map(({ member }) => member),
      ['name', 'redirectUris', 'consent'],
    )
  })
})

test('an app on a device has its own scheme, or a loopback address without a port', () => {
  assert.ok(isNative(['com.example.app:/cb']))
  assert.ok(isNative(['http://127.0.0.1/cb']))
  assert.ok(isNative(['http://[::1]/cb']))
  assert.ok(!isNative(['http://127.0.0.1:3000/cb', 'https://app.example/cb']))
  assert.ok(!isNative(['http://localhost:80/cb']))
  const together = ['com.example.app:/cb', 'https://localhost:3000/cb']
  assert.match(check({ redirectUris: together }).problems[0]?.why ?? '', /served on loopback/)
})

test('origins come from redirect URIs on the web only', () => {
  const uris = ['https://app.example/a', 'https://app.example/b', 'com.example.app:/cb']
  assert.deepEqual(originsOf(uris), ['https://app.example'])
})
