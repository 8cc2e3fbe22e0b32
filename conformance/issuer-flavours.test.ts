import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { openGuardedServer } from './support/open-guarded-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// Tokens as Okta, Auth0, Keycloak, Cognito and Google issue them, at one FHIR endpoint.
const OKTA = 'https://example.okta.com/oauth2/default'
const AUTH0 = 'https://example.eu.auth0.com/'
const COGNITO = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_a1B2c3D4e'
const GOOGLE_APP = '1234-abcd.apps.googleusercontent.com'

const web = await serveDocuments()
after(() => web.close())
const KEYCLOAK = 'http://localhost:8180/realms/clinic'

function lab(issuer: string, path: string) {
  const made = createLabIssuer({ issuer, keys: [createLabKey('RS256')] })
  const front = issuer.replace(/\/$/, '')
  web.documents.set(`${path}/.well-known/openid-configuration`, () => ({
    body: {
      issuer,
      jwks_uri: `${front}/keys`,
      introspection_endpoint: `${front}/introspect`,
    },
  }))
  web.documents.set(`${path}/keys`, () => ({
    headers: { 'cache-control': 'no-cache' },
    body: made.keySet,
  }))
  return made
}
const okta = lab(OKTA, '/okta')
const auth0 = lab(AUTH0, '/auth0')
const keycloak = lab(KEYCLOAK, '/realms/clinic')
const cognito = lab(COGNITO, '/cognito')

/** What Google knows, by token. */
const googleTokens = new Map<string, object>()
web.documents.set('/tokeninfo', ({ body }) => {
  const known = googleTokens.get(new URLSearchParams(body).get('access_token') ?? '')
  return known === undefined
    ? { status: 400, body: { error: 'invalid_token', error_description: 'Invalid Value' } }
    : { body: known }
})

const server = await openGuardedServer(`
issuers:
  - { name: okta, preset: okta, domain: example.okta.com, backchannelUrl: ${web.origin}/okta }
  - name: auth0
    preset: auth0
    domain: example.eu.auth0.com
    backchannelUrl: ${web.origin}/auth0
    claims: { fhirUser: "https://example.org/fhirUser" }
  - name: keycloak
    preset: keycloak
    url: http://localhost:8180/
    realm: clinic
    backchannelUrl: ${web.origin}/realms/clinic
    scopes: { map: { observer: system/Observation.rs } }
  - name: cognito
    preset: cognito
    region: eu-central-1
    userPool: eu-central-1_a1B2c3D4e
    backchannelUrl: ${web.origin}/cognito
    scopes: { strip: [fhir/] }
  - name: google
    preset: google
    claims: { fhirUser: "Practitioner/{sub}" }
    scopes: { map: { openid: user/Observation.rs } }
    introspection: { url: "${web.origin}/tokeninfo", cacheSeconds: 1 }
fhir:
  r4:
    trust: [self, okta, auth0, keycloak, cognito, google]
    audiences: [api://default, cognito-app, ${GOOGLE_APP}]
    userPolicy: all
`)
after(() => server.close())

const status = async (token: string) => (await server.fhir('/Observation', token)).status
async function reason(token: string) {
  const { checks } = await server.explain('/Observation', token)
  return checks.find(({ outcome }) => outcome === 'fail')?.code
}
const bare = { client_id: undefined, jti: 'j1' }

describe('Okta: `scp` is a list, the client is `cid`', () => {
  const mint = (claims: object) =>
    okta.mintToken({
      audience: 'api://default',
      header: { typ: undefined },
      claims: { ...bare, ver: 1, cid: '0oa1', ...claims },
    })

  test('a user, and an app by client credentials', async () => {
    const scp = ['openid', 'user/Observation.rs']
    const user = { sub: 'ann@example.org', uid: '00u1', scp, fhirUser: 'Practitioner/pract-1' }
    assert.equal(await status(mint(user)), 200)
    assert.equal(await status(mint({ sub: '0oa1', scp: ['system/Observation.rs'] })), 200)
  })

  test('system scopes in the token of a user give nothing', async () => {
    const token = mint({ sub: 'ann@example.org', uid: '00u1', scp: ['system/Observation.rs'] })
    assert.equal(await status(token), 403)
    assert.equal(await reason(token), 'system_scope_with_user')
  })

  test('a token of the org server is for Okta only', async () => {
    const claims = { iss: 'https://example.okta.com', sub: '0oa1', scp: ['system/Observation.rs'] }
    assert.equal(await reason(mint(claims)), 'issuer_unknown')
  })
})

describe('Auth0: the issuer ends in a slash, claims carry a namespace', () => {
  const mint = (claims: object) =>
    auth0.mintToken({
      audience: server.fhirUrl,
      header: { typ: 'JWT' },
      claims: { ...bare, azp: 'app1', ...claims },
    })

  test('a user, and an app by client credentials', async () => {
    const user = { sub: 'auth0|1', scope: 'openid user/Observation.rs' }
    const fhirUser = { 'https://example.org/fhirUser': 'Practitioner/pract-1' }
    assert.equal(await status(mint({ ...user, ...fhirUser })), 200)
    assert.equal(
      await reason(mint({ ...user, fhirUser: 'Practitioner/pract-1' })),
      'user_context_missing',
    )
    const app = { sub: 'app1@clients', gty: 'client-credentials', scope: 'system/Observation.rs' }
    assert.equal(await status(mint(app)), 200)
    assert.equal(await reason(mint({ ...app, sub: 'auth0|1' })), 'system_scope_with_user')
  })

  test('HS256, the older default of its APIs, is refused', async () => {
    const token = auth0.wrong.hmacWithPublicKey({ audience: server.fhirUrl })
    assert.equal(await reason(token), 'algorithm_not_allowed')
  })
})

describe('Keycloak: service accounts, kinds of token, `openid` by client credentials', () => {
  const account = { preferred_username: 'service-account-etl', client_id: 'etl' }
  const mint = (claims: object, audience: string | string[] = [server.fhirUrl, 'account']) =>
    keycloak.mintToken({
      audience,
      header: { typ: 'JWT' },
      claims: { ...bare, typ: 'Bearer', azp: 'etl', sub: 'b1f9', scope: 'openid email', ...claims },
    })

  test('a service account with `openid` and a mapped role of the realm', async () => {
    const token = mint({ ...account, realm_access: { roles: ['observer', 'offline_access'] } })
    assert.equal(await status(token), 200)
  })

  test('a scope named as in SMART needs no map', async () => {
    assert.equal(await status(mint({ ...account, scope: 'openid system/Observation.rs' })), 200)
  })

  test('a user with the same role, or named like a service account, gets no system scopes', async () => {
    const roles = { realm_access: { roles: ['observer'] } }
    assert.equal(await reason(mint({ ...roles, preferred_username: 'ann' })), 'scope_unmapped')
    const { client_id: _, ...named } = account
    assert.equal(await reason(mint({ ...roles, ...named })), 'scope_unmapped')
  })

  test('an audience that only names `account` is told, with what to do', async () => {
    const { checks } = await server.explain('/Observation', mint(account, 'account'))
    const failed = checks.find(({ outcome }) => outcome === 'fail')
    assert.deepEqual([failed?.code, failed?.got], ['audience_mismatch', 'account'])
  })

  for (const typ of ['ID', 'Refresh', 'Offline', 'Logout']) {
    test(`its ${typ} token is refused`, async () => {
      assert.match(String(await reason(mint({ ...account, typ }))), /^type_/)
    })
  }

  test('`no-cache` on its keys does not make every token fetch them', async () => {
    const before = web.count('/realms/clinic/keys')
    for (let i = 0; i < 20; i++) await status(mint({ ...account, jti: `n${i}` }))
    assert.ok(web.count('/realms/clinic/keys') - before <= 1)
  })
})

describe('Cognito: no `aud`, prefixed scopes', () => {
  const mint = (claims: object) =>
    cognito.mintToken({
      audience: '',
      header: { typ: undefined },
      claims: { ...bare, aud: undefined, token_use: 'access', client_id: 'cognito-app', ...claims },
    })

  test('the client stands in for the audience', async () => {
    const app = { sub: 'cognito-app', scope: 'fhir/system/Observation.rs' }
    assert.equal(await status(mint(app)), 200)
    const other = { client_id: 'other-app', sub: 'other-app' }
    assert.equal(await reason(mint({ ...app, ...other })), 'audience_mismatch')
    assert.equal(await reason(mint({ ...app, token_use: 'id' })), 'type_wrong')
  })
})

describe('Google: opaque tokens', () => {
  const known = (claims: object) => {
    const token = `ya29.a0${crypto.randomUUID()}`
    googleTokens.set(token, {
      azp: GOOGLE_APP,
      aud: GOOGLE_APP,
      sub: '108',
      scope: 'openid https://www.googleapis.com/auth/userinfo.email',
      exp: String(Math.floor(Date.now() / 1000) + 3000),
      expires_in: '3000',
      access_type: 'online',
      ...claims,
    })
    return token
  }

  test('are looked up, and their names mapped', async () => {
    const token = known({})
    assert.equal(await status(token), 200)
    const asked = web.count('/tokeninfo')
    await Promise.all(Array.from({ length: 5 }, () => status(token)))
    assert.ok(web.count('/tokeninfo') - asked <= 2, 'an answer serves for a while')
    assert.ok(!web.asked.some(({ path }) => path.includes('ya29')), 'never in an address')
  })

  test('of an app of somebody else are refused', async () => {
    const token = known({ aud: 'theirs.apps.googleusercontent.com' })
    assert.equal(await status(token), 401)
    assert.equal(await reason(token), 'audience_mismatch')
  })

  test('without a mapped scope, unknown, expired', async () => {
    assert.equal(await reason(known({ scope: 'email' })), 'scope_unmapped')
    assert.equal(await reason('ya29.nobody-knows'), 'token_unknown')
    const expired = known({ exp: String(Math.floor(Date.now() / 1000) - 100) })
    assert.equal(await status(expired), 401)
  })

  test('texts that cannot be tokens of Google never reach it', async () => {
    const before = web.count('/tokeninfo')
    assert.equal(await status('some-opaque-text'), 401)
    assert.equal(await status('a.b.c'), 401)
    assert.equal(web.count('/tokeninfo'), before)
  })

  test('an outage is 503, never "invalid token"', async () => {
    const working = web.documents.get('/tokeninfo')
    web.documents.set('/tokeninfo', () => ({ status: 500, body: {} }))
    const { status: answered, body } = await server.fhir('/Observation', known({}))
    assert.equal(answered, 503)
    assert.equal(body.issue?.[0]?.code, 'transient')
    const asked = web.count('/tokeninfo')
    assert.equal(await status(known({})), 503)
    assert.equal(web.count('/tokeninfo'), asked, 'it is left alone for a moment')
    if (working !== undefined) web.documents.set('/tokeninfo', working)
  })
})
