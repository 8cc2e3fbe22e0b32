import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONNECTION_PRESET_NAMES, CONNECTION_PRESETS } from './presets/index.ts'
import { ConnectionError, compileConnection } from './written/compile-connection.ts'
import { findConnectionProblems } from './written/find-connection-problems.ts'
import type { CredentialsPresent, WrittenConnection } from './written/written-connection.ts'

const NOTHING: CredentialsPresent = {
  secrets: false,
  key: false,
  certificate: false,
  tlsCertificate: false,
  subjectToken: false,
  refreshToken: false,
}
const SECRET = { ...NOTHING, secrets: true }
const KEY = { ...NOTHING, key: true }
const secrets = () => ['s3cret']

function compiled(written: Partial<WrittenConnection>) {
  return compileConnection({ name: 'c', clientId: 'app', ...written }, { secrets })
}

describe('Presets', () => {
  test('make the addresses that providers document', () => {
    const tenant = '4d7d5b3f-0000-4000-8000-000000000001'
    const cases: readonly [Partial<WrittenConnection>, string | undefined, string | undefined][] = [
      [
        { preset: 'entra', tenant, scopes: ['api://x/.default'] },
        `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
        `https://login.microsoftonline.com/${tenant}/v2.0`,
      ],
      [
        {
          preset: 'entra',
          tenant,
          cloud: 'login.partner.microsoftonline.cn',
          scopes: ['https://partner.outlook.cn/.default'],
        },
        `https://login.partner.microsoftonline.cn/${tenant}/oauth2/v2.0/token`,
        `https://login.partner.microsoftonline.cn/${tenant}/v2.0`,
      ],
      [
        { preset: 'okta', domain: 'a.okta.com', authorizationServer: 'default', scopes: ['x'] },
        'https://a.okta.com/oauth2/default/v1/token',
        'https://a.okta.com/oauth2/default',
      ],
      [
        { preset: 'auth0', domain: 'a.eu.auth0.com', audience: 'https://api' },
        'https://a.eu.auth0.com/oauth/token',
        'https://a.eu.auth0.com/',
      ],
      [
        { preset: 'oracle-health', tenant: 'ec2458f2', scopes: ['system/Patient.read'] },
        'https://authorization.cerner.com/tenants/ec2458f2/protocols/oauth2/profiles/smart-v1/token',
        undefined,
      ],
      [
        {
          preset: 'athenahealth',
          environment: 'api.preview.platform.athenahealth.com',
          scopes: ['x'],
        },
        'https://api.preview.platform.athenahealth.com/oauth2/v1/token',
        undefined,
      ],
    ]
    for (const [written, tokenEndpoint, issuer] of cases) {
      const connection = compiled(written)
      assert.equal(connection.tokenEndpoint, tokenEndpoint)
      assert.equal(connection.issuer, issuer)
    }
  })

  test('of the org server of Okta and of Keycloak, metadata is where they have it', () => {
    const problems = findConnectionProblems(
      {
        name: 'c',
        clientId: 'a',
        preset: 'okta',
        domain: 'a.okta.com',
        scopes: ['okta.users.read'],
      },
      KEY,
    )
    assert.deepEqual(problems, [])
    const keycloak = compiled({ preset: 'keycloak', url: 'https://sso.example/', realm: 'a b' })
    assert.equal(keycloak.issuer, 'https://sso.example/realms/a%20b')
    assert.deepEqual(keycloak.metadataUrls, [
      'https://sso.example/realms/a%20b/.well-known/openid-configuration',
    ])
    const generic = compiled({ issuer: 'https://idp.example/tenant/' })
    assert.deepEqual(generic.metadataUrls, [
      'https://idp.example/tenant/.well-known/openid-configuration',
      'https://idp.example/.well-known/oauth-authorization-server/tenant',
    ])
  })

  test('are defaults: an issuer or an endpoint of its own replaces their addresses', () => {
    const own = compiled({
      preset: 'entra',
      issuer: 'http://127.0.0.1:7/t',
      scopes: ['x/.default'],
    })
    assert.equal(own.tokenEndpoint, undefined)
    assert.deepEqual(own.metadataUrls, ['http://127.0.0.1:7/t/.well-known/openid-configuration'])
    assert.equal(own.transport.allowPlain, true)
    const endpoint = compiled({ preset: 'keycloak', tokenEndpoint: 'https://idp.example/token' })
    assert.deepEqual(
      [endpoint.tokenEndpoint, endpoint.metadataUrls],
      ['https://idp.example/token', []],
    )
  })

  test('say where to read about the provider, and authenticate in a way that it has', () => {
    for (const name of CONNECTION_PRESET_NAMES) {
      const preset = CONNECTION_PRESETS[name]
      assert.match(preset.documentation, /^https:\/\//)
      assert.ok(preset.assertion.lifetimeSeconds <= 3600)
      assert.notEqual(preset.secretMethod, 'client_secret_auto')
    }
  })
})

describe('Problems of connections', () => {
  const GENERIC = { tokenEndpoint: 'https://idp.example/token' }
  const cases: readonly {
    readonly name: string
    readonly written: Partial<WrittenConnection>
    readonly present?: CredentialsPresent
    readonly path: string
    readonly says: RegExp
  }[] = [
    { name: 'no address', written: {}, path: 'issuer', says: /not known where/ },
    {
      name: 'no tenant',
      written: { preset: 'entra', scopes: ['a/.default'] },
      path: 'tenant',
      says: /missing/,
    },
    {
      name: 'no realm',
      written: { preset: 'keycloak', url: 'https://a.example' },
      path: 'realm',
      says: /missing/,
    },
    {
      name: 'plain HTTP',
      written: { issuer: 'http://idp.example' },
      path: 'issuer',
      says: /not https/,
    },
    {
      name: 'plain HTTP of a part',
      written: { preset: 'keycloak', url: 'http://a.example', realm: 'x' },
      path: 'url',
      says: /not https/,
    },
    {
      name: 'a password in an address',
      written: { tokenEndpoint: 'https://a:b@idp.example/t' },
      path: 'tokenEndpoint',
      says: /password/,
    },
    {
      name: 'scopes of Entra',
      written: { preset: 'entra', tenant: 'x', scopes: ['User.Read'] },
      path: 'scopes',
      says: /\.default/,
    },
    {
      name: 'two resources at Entra',
      written: { preset: 'entra', tenant: 'x', scopes: ['a/.default', 'b/.default'] },
      path: 'scopes',
      says: /one resource/,
    },
    {
      name: 'everybody’s tenant',
      written: { preset: 'entra', tenant: 'common', scopes: ['a/.default'] },
      path: 'tenant',
      says: /themselves/,
    },
    {
      name: 'no audience at Auth0',
      written: { preset: 'auth0', domain: 'a.auth0.com' },
      path: 'audience',
      says: /names the API/,
    },
    {
      name: 'a secret at the org server of Okta',
      written: { preset: 'okta', domain: 'a.okta.com', scopes: ['x'] },
      path: 'authorizationServer',
      says: /key only/,
    },
    {
      name: 'commas between scopes',
      written: { ...GENERIC, scopes: ['system/A.read,system/B.read'] },
      path: 'scopes.0',
      says: /comma/,
    },
    {
      name: 'spaces between scopes',
      written: { ...GENERIC, scopes: ['a b'] },
      path: 'scopes.0',
      says: /space/,
    },
    {
      name: 'no secret',
      written: { ...GENERIC, authentication: { method: 'client_secret_post' } },
      present: NOTHING,
      path: 'authentication.secrets',
      says: /needs a secret/,
    },
    {
      name: 'no key',
      written: { ...GENERIC, authentication: { method: 'private_key_jwt' } },
      present: NOTHING,
      path: 'authentication.key',
      says: /needs a key/,
    },
    {
      name: 'no certificate for TLS',
      written: { ...GENERIC, authentication: { method: 'tls_client_auth' } },
      present: NOTHING,
      path: 'authentication.certificate',
      says: /certificate/,
    },
    {
      name: 'no certificate for a thumbprint',
      written: { preset: 'entra', tenant: 'x', scopes: ['a/.default'] },
      present: KEY,
      path: 'authentication.certificate',
      says: /x5t#S256/,
    },
    {
      name: 'nobody proves anything',
      written: GENERIC,
      present: NOTHING,
      path: 'authentication',
      says: /client credentials/,
    },
    {
      name: 'a service account without a key',
      written: { preset: 'google', scopes: ['x'] },
      present: NOTHING,
      path: 'authentication',
      says: /no key/,
    },
    {
      name: 'nothing to exchange',
      written: { ...GENERIC, grant: 'token_exchange' },
      path: 'exchange',
      says: /nothing to exchange/,
    },
    {
      name: 'a subject of client credentials',
      written: { ...GENERIC, subject: 'x' },
      path: 'subject',
      says: /no subject/,
    },
    {
      name: 'an assertion for an unknown issuer',
      written: { preset: 'keycloak', ...GENERIC },
      present: KEY,
      path: 'issuer',
      says: /addressed/,
    },
    {
      name: 'a proxy that is none',
      written: { ...GENERIC, proxy: 'proxy:3128' },
      path: 'proxy',
      says: /not the address/,
    },
    {
      name: 'a secret among the parameters',
      written: { ...GENERIC, parameters: { client_secret: 'x', realm: 'lab' } },
      path: 'parameters.client_secret',
      says: /a secret, written/,
    },
    {
      name: 'a password of a proxy',
      written: { ...GENERIC, proxy: 'http://a:b@proxy' },
      path: 'proxy',
      says: /password/,
    },
  ]
  for (const { name, written, present = SECRET, path, says } of cases) {
    test(`${name}: named with its path, and a way out`, () => {
      const problems = findConnectionProblems({ name: 'c', clientId: 'app', ...written }, present)
      const found = problems.find((problem) => problem.path.join('.') === path)
      assert.ok(found, JSON.stringify(problems))
      assert.match(found.message, says)
      assert.notEqual(found.fix, '')
    })
  }

  test('SMART scopes may hold commas behind their question mark', () => {
    const scopes = ['system/Observation.rs?code=a,b']
    assert.deepEqual(
      findConnectionProblems({ name: 'c', clientId: 'a', ...GENERIC, scopes }, SECRET),
      [],
    )
  })

  test('a connection with problems is not compiled, and every problem is named', () => {
    assert.throws(
      () => compiled({ preset: 'entra', scopes: ['a', 'b'] }),
      (error) => error instanceof ConnectionError && /tenant[\s\S]*scopes/.test(error.message),
    )
  })
})

describe('The revision of a connection', () => {
  const base = { tokenEndpoint: 'https://idp.example/token', scopes: ['a'] }

  test('changes with what a token is, and with nothing else', () => {
    const { revision } = compiled(base)
    const same = [
      base,
      { ...base, callers: ['x'] },
      { ...base, keepAliveHours: 1 },
      { ...base, timeoutSeconds: 3 },
    ]
    for (const written of same) assert.equal(compiled(written).revision, revision)
    const others: Partial<WrittenConnection>[] = [
      { scopes: ['b'] },
      { audience: 'x' },
      { clientId: 'other' },
      { tokenEndpoint: 'https://idp.example/other' },
      { dpop: true },
      { grant: 'refresh_token' },
      { authentication: { method: 'client_secret_post' } },
      { parameters: { a: 'b' } },
    ]
    const revisions = others.map((other) => compiled({ ...base, ...other }).revision)
    assert.equal(new Set([revision, ...revisions]).size, others.length + 1)
  })

  test('stays when a secret changes; the version of the credentials does not', () => {
    const [one, two] = ['one', 'two'].map((secret) =>
      compileConnection({ name: 'c', clientId: 'a', ...base }, { secrets: () => [secret] }),
    )
    assert.equal(one?.revision, two?.revision)
    assert.notEqual(one?.credentialVersion(), two?.credentialVersion())
  })
})
