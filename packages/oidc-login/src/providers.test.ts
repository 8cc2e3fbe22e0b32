import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createUpstreamLogins,
  findProviderProblems,
  PRESETS,
  type UpstreamProvider,
  UpstreamProviderError,
} from '@scopegate/oidc-login'
import { OTHER_TENANT, SECRET, sealer, TENANT } from './testing/open-upstream.ts'

const provider = (settings: Partial<UpstreamProvider>): UpstreamProvider => ({
  name: 'p',
  preset: 'generic',
  clientId: 'scopegate',
  authentication: { method: 'secret', secret: SECRET },
  ...settings,
})
const problemsOf = (settings: Partial<UpstreamProvider>) =>
  findProviderProblems(provider(settings)).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  )

describe('the settings of a provider', () => {
  test('that can work have no problems', () => {
    for (const settings of [
      { preset: 'entra', tenant: TENANT },
      { preset: 'entra', tenant: 'organizations', tenants: [TENANT, OTHER_TENANT] },
      {
        preset: 'entra',
        issuer: `https://login.microsoftonline.us/${TENANT}/v2.0`,
        tenants: [TENANT],
      },
      { preset: 'keycloak', url: 'https://sso.example/', realm: 'clinic' },
      { preset: 'keycloak', issuer: 'http://127.0.0.1:8081/realms/x' },
      { preset: 'google' },
      { preset: 'google', hostedDomain: 'clinic.example' },
      { preset: 'okta', domain: 'example.okta.com' },
      { preset: 'okta', issuer: 'https://example.okta.com/oauth2/default' },
      { preset: 'auth0', domain: 'example.eu.auth0.com' },
      { preset: 'generic', issuer: 'https://idp.example' },
      { preset: 'generic', issuer: 'http://localhost:9000' },
      { preset: 'generic', issuer: 'http://[::1]:9000' },
    ] as const) {
      assert.deepEqual(problemsOf(settings), [], JSON.stringify(settings))
    }
  })

  test('that cannot work say which value, and what to do', () => {
    for (const [settings, expected] of [
      [{ preset: 'generic' }, 'issuer: missing'],
      [{ preset: 'entra' }, 'tenant: missing'],
      [{ preset: 'keycloak', url: 'https://sso.example' }, 'realm: missing'],
      [{ preset: 'okta' }, 'domain: missing'],
      [
        { preset: 'generic', issuer: 'http://idp.example' },
        'issuer: `http://idp.example` is not https',
      ],
      [
        { preset: 'generic', issuer: 'http://127.0.0.1.evil.example' },
        'issuer: `http://127.0.0.1.evil.example` is not https',
      ],
      [{ preset: 'generic', issuer: 'nonsense' }, 'issuer: `nonsense` is not a URL'],
      [
        { preset: 'generic', issuer: 'https://u:p@idp.example' },
        'issuer: holds a user name or a password',
      ],
      [
        { preset: 'generic', issuer: 'https://idp.example?x=1' },
        'issuer: `https://idp.example?x=1` has a query or a fragment',
      ],
      [{ preset: 'entra', tenant: 'contoso.com' }, 'tenant: `contoso.com` is no directory id'],
      [
        { preset: 'entra', tenant: 'common' },
        'tenants: `common` lets people of every Microsoft directory in',
      ],
      [
        { preset: 'entra', tenant: 'organizations', tenants: [] },
        'tenants: `organizations` lets people of every Microsoft directory in',
      ],
      [
        { preset: 'entra', tenant: 'organizations', tenants: ['contoso'] },
        'tenants: `contoso` is no directory id',
      ],
      [{ preset: 'google', scopes: ['email'] }, 'scopes: `openid` is missing'],
      [
        { preset: 'google', claims: { fhirUser: 'Practitioner/{id' } },
        'claims.fhirUser: `Practitioner/{id` has a brace without its partner',
      ],
      [{ preset: 'google', claims: { name: '{}' } }, 'claims.name: `{}` has empty braces'],
      [
        { preset: 'google', claims: { roles: { from: ' ', values: {} } } },
        'claims.roles: ` ` is empty',
      ],
      [
        { preset: 'google', claims: { roles: '/a~2b' } },
        'claims.roles: `/a~2b` has a `~` that is neither `~0` nor `~1`',
      ],
    ] as const) {
      assert.deepEqual(problemsOf(settings as Partial<UpstreamProvider>), [expected])
    }
  })

  test('are reported all at once, before anything is asked', () => {
    const open = (providers: readonly UpstreamProvider[]) =>
      createUpstreamLogins({ providers, sealer, callbackUrl: () => 'https://x/', nowMs: Date.now })
    assert.throws(
      () =>
        open([
          provider({}),
          provider({ preset: 'entra', tenant: 'common' }),
          provider({ name: 'A/B' }),
        ]),
      (error) =>
        error instanceof UpstreamProviderError &&
        /`p`.issuer: missing/.test(error.message) &&
        /every Microsoft directory/.test(error.message) &&
        /two providers are named `p`/.test(error.message) &&
        /`A\/B` is no name/.test(error.message),
    )
  })

  test('with a key or certificate that does not fit say so without quoting it', () => {
    const privateKey = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----'
    const authentication = { method: 'private_key_jwt', privateKey } as const
    assert.throws(
      () =>
        createUpstreamLogins({
          providers: [provider({ issuer: 'https://idp.example', authentication })],
          sealer,
          callbackUrl: () => 'https://x/',
          nowMs: Date.now,
        }),
      (error) =>
        error instanceof UpstreamProviderError &&
        /private key of provider `p` cannot be read/.test(error.message) &&
        !error.message.includes('c2VjcmV0') &&
        error.cause === undefined,
    )
  })

  test('no preset takes a fhirUser or roles by itself', () => {
    for (const [name, preset] of Object.entries(PRESETS)) {
      assert.ok(!('fhirUser' in preset.claims) && !('roles' in preset.claims), name)
      assert.ok((preset.scopes as readonly string[]).includes('openid'))
    }
  })
})
