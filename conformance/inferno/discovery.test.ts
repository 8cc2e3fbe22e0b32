import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's groups `smart_discovery_stu2` and `smart_discovery_stu2_2`, and the lists of
// `g10_smart_well_known_capabilities`: https://github.com/inferno-framework/smart-app-launch-test-kit
const server = await openSmartServer({ withoutSample: true })
after(() => server.close())

const ORIGIN = 'https://inferno.example'
const wellKnown = `${server.fhirUrl}/.well-known/smart-configuration`

describe('smart_discovery_stu2_2', () => {
  test('well_known_endpoint: the configuration is JSON below the FHIR base', async () => {
    const response = await fetch(wellKnown, { headers: { accept: 'application/json' } })
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    const configuration = (await response.json()) as Record<string, unknown>
    for (const [name, value] of Object.entries(configuration)) {
      if (/_endpoint$|_uri$/.test(name))
        assert.ok(URL.canParse(String(value)), `${name} is absolute`)
    }
  })

  test('well_known_endpoint: JSON whatever is accepted', async () => {
    for (const accept of ['application/fhir+json', 'text/html', 'application/xml', '*/*']) {
      const response = await fetch(wellKnown, { headers: { accept } })
      assert.equal(response.status, 200, accept)
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/, accept)
    }
  })

  test('well_known_capabilities_stu2: all required fields, S256, never plain', () => {
    const configuration = server.configuration as unknown as Record<string, unknown>
    for (const name of ['authorization_endpoint', 'token_endpoint']) {
      assert.equal(typeof configuration[name], 'string', name)
    }
    const listOf = (name: string) => {
      const list = configuration[name]
      assert.ok(Array.isArray(list) && list.length > 0, `${name} is a list`)
      for (const item of list) assert.equal(typeof item, 'string', name)
      return list as string[]
    }
    assert.ok(listOf('grant_types_supported').includes('authorization_code'))
    assert.ok(listOf('code_challenge_methods_supported').includes('S256'))
    assert.ok(!listOf('code_challenge_methods_supported').includes('plain'))
    assert.ok(listOf('capabilities').includes('sso-openid-connect'))
    assert.equal(typeof configuration.issuer, 'string')
    assert.equal(typeof configuration.jwks_uri, 'string')
  })

  test('smart_cors_well_known_endpoint: any origin may read the configuration', async () => {
    const response = await fetch(wellKnown, { headers: { origin: ORIGIN } })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    assert.equal(response.headers.get('access-control-allow-credentials'), null)
  })

  test('smart_cors_metadata_request: any origin may read the capability statement', async () => {
    const response = await fetch(`${server.fhirUrl}/metadata`, { headers: { origin: ORIGIN } })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
  })
})

describe('g10_smart_well_known_capabilities', () => {
  const scenarios = {
    'standalone patient app (1.8.05, 9.13.4.05)': [
      'launch-standalone',
      'client-public',
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'sso-openid-connect',
      'context-standalone-patient',
      'permission-offline',
      'permission-patient',
      'authorize-post',
      'permission-v2',
      'permission-v1',
    ],
    'EHR practitioner app (3.7.05)': [
      'launch-ehr',
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'sso-openid-connect',
      'context-banner',
      'context-style',
      'context-ehr-patient',
      'context-ehr-encounter',
      'permission-offline',
      'permission-user',
      'authorize-post',
      'permission-v2',
      'permission-v1',
    ],
  }
  for (const [scenario, required] of Object.entries(scenarios)) {
    test(`the ${scenario} finds every capability it takes`, () => {
      const { capabilities } = server.configuration
      assert.deepEqual(
        required.filter((capability) => !capabilities.includes(capability)),
        [],
      )
    })
  }

  test('scopes_supported and the asymmetric methods are published (r285 … r289)', () => {
    const configuration = server.configuration as unknown as Record<string, string[]>
    assert.ok(configuration.scopes_supported?.includes('launch/patient'))
    assert.ok(configuration.token_endpoint_auth_methods_supported?.includes('private_key_jwt'))
    const algorithms = configuration.token_endpoint_auth_signing_alg_values_supported ?? []
    assert.ok(algorithms.includes('RS384') && algorithms.includes('ES384'))
  })
})
