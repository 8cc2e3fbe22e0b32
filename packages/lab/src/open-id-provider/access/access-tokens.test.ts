import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  createLabKey,
  createLabOpenIdProvider,
  entraApiId,
  LAB_TENANT,
  LAB_TOKEN_FAULTS,
  type LabFlavourName,
  type LabOpenIdProvider,
  type LabTokenFault,
  publicJwk,
  signed,
  TOKEN_PROBLEMS,
} from '@scopegate/lab'

const ORIGIN = 'http://127.0.0.1:9'
const ISSUERS = {
  'entra-v2': `${ORIGIN}/${LAB_TENANT}/v2.0`,
  'entra-v1': `${ORIGIN}/${LAB_TENANT}/`,
  okta: `${ORIGIN}/oauth2/default`,
  keycloak: `${ORIGIN}/realms/lab`,
  auth0: `${ORIGIN}/`,
  google: ORIGIN,
  generic: ORIGIN,
} as const satisfies Partial<Record<LabFlavourName, string>>
const flavours = Object.keys(ISSUERS) as (keyof typeof ISSUERS)[]
const API = 'api://aaaaaaaa-0000-4000-8000-000000000001'
const NOW = 1_800_000_000
const key = createLabKey('RS256')

function open(
  flavour: keyof typeof ISSUERS,
  options: Partial<Parameters<typeof createLabOpenIdProvider>[0]> = {},
): LabOpenIdProvider {
  return createLabOpenIdProvider({
    flavour,
    issuer: ISSUERS[flavour],
    keys: [key],
    now: () => NOW,
    ...options,
  })
}

async function discover(lab: LabOpenIdProvider) {
  const url = `${lab.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const metadata = (await (await lab.fetch(new Request(url))).json()) as Record<string, string>
  assert.equal(metadata.issuer, lab.issuer)
  return metadata
}

async function ask(lab: LabOpenIdProvider, form: Record<string, string>, to?: string) {
  const address = to ?? (await discover(lab)).token_endpoint ?? ''
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
  const response = await lab.fetch(new Request(address, { method: 'POST', body }))
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const read = (token: unknown, part: 0 | 1 = 1) =>
  JSON.parse(Buffer.from(String(token).split('.')[part] ?? '', 'base64url').toString())

describe('access tokens of an app', () => {
  const secret = { client_id: 'app', client_secret: 's' }
  const v2 = `${ORIGIN}/${LAB_TENANT}/oauth2/v2.0/token`
  const v1 = `${ORIGIN}/${LAB_TENANT}/oauth2/token`

  test('of Entra: the manifest of the API decides which version it is', async () => {
    const lab = open('entra-v2', {
      apis: [{ uri: API }, { uri: 'https://fhir.example', version: '1.0' }],
      clients: [{ clientId: 'app', secret: 's', redirectUris: [], roles: ['FHIR.Read'] }],
    })
    const newer = await ask(lab, { ...secret, scope: `${API}/.default` }, v2)
    const { uti, aio, rh, oid, sub, ...claims } = read(newer.body.access_token)
    assert.ok(uti && aio && rh)
    assert.equal(oid, sub)
    assert.deepEqual(claims, {
      aud: entraApiId({ uri: API }),
      iss: ISSUERS['entra-v2'],
      iat: NOW - 300,
      nbf: NOW - 300,
      exp: NOW + 3599,
      roles: ['FHIR.Read'],
      tid: LAB_TENANT,
      azp: 'app',
      azpacr: '1',
      ver: '2.0',
    })
    assert.equal(newer.body.ext_expires_in, 3599)
    assert.equal('scope' in newer.body, false)
    for (const [form, address] of [
      [{ scope: 'https://fhir.example/.default' }, v2],
      [{ resource: 'https://fhir.example' }, v1],
    ] as const) {
      const older = read((await ask(lab, { ...secret, ...form }, address)).body.access_token)
      const { ver, iss, aud, appid, appidacr, roles } = older
      assert.deepEqual(
        { ver, iss, aud, appid, appidacr, roles },
        {
          ver: '1.0',
          iss: ISSUERS['entra-v1'],
          aud: 'https://fhir.example',
          appid: 'app',
          appidacr: '1',
          roles: ['FHIR.Read'],
        },
      )
    }
  })

  test('of Entra without an assigned role is issued all the same', async () => {
    const { body } = await ask(open('entra-v2'), { ...secret, scope: `${API}/.default` })
    assert.equal('roles' in read(body.access_token), false)
  })

  test('of Okta: `scp` is a list, the client in `cid`', async () => {
    const { body } = await ask(open('okta'), { ...secret, scope: 'system/Observation.rs a' })
    const { scp, cid, sub, aud, uid, scope, ver } = read(body.access_token)
    assert.deepEqual(
      [scp, cid, sub, aud],
      [['system/Observation.rs', 'a'], 'app', 'app', 'api://default'],
    )
    assert.deepEqual([uid, scope, ver], [undefined, undefined, 1])
  })

  test('of Keycloak: an audience by mapper only, and an ID token where `openid` is asked for', async () => {
    const plain = (await ask(open('keycloak'), secret)).body
    assert.equal(read(plain.access_token).aud, 'account')
    assert.equal('id_token' in plain, false)
    const lab = open('keycloak', { audience: 'https://fhir.example', roles: ['reader'] })
    const { body } = await ask(lab, { ...secret, scope: 'openid' })
    const { aud, azp, typ, client_id, preferred_username, realm_access } = read(body.access_token)
    assert.deepEqual([aud, azp, typ, client_id], ['https://fhir.example', 'app', 'Bearer', 'app'])
    assert.equal(preferred_username, 'service-account-app')
    assert.ok(realm_access.roles.includes('reader'))
    assert.equal(read(body.id_token).aud, 'app')
    assert.equal(body.scope, 'openid profile email')
  })

  test('of Auth0: for the API that `audience` names', async () => {
    const form = { ...secret, audience: 'https://fhir.example', scope: 'read:labs' }
    const { body } = await ask(open('auth0', { roles: ['read:labs'] }), form)
    const { iss, sub, azp, gty, aud, permissions } = read(body.access_token)
    assert.deepEqual([iss, sub, azp], [ISSUERS.auth0, 'app@clients', 'app'])
    assert.deepEqual(
      [gty, aud, permissions],
      ['client-credentials', 'https://fhir.example', ['read:labs']],
    )
  })

  test('of Google: for a signed statement, opaque, and told by tokeninfo as texts', async () => {
    const account = '123456789012345678901'
    const lab = open('google', {
      clients: [{ clientId: account, keys: [publicJwk(key)], redirectUris: [] }],
    })
    const statement = (changes: object = {}) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: signed(
        { typ: 'JWT', alg: key.alg, kid: key.kid },
        {
          iss: account,
          aud: `${ORIGIN}/token`,
          scope: 'https://mail.google.com/',
          iat: NOW,
          exp: NOW + 3600,
          ...changes,
        },
        key,
      ),
    })
    const { body } = await ask(lab, statement())
    assert.match(String(body.access_token), /^ya29\./)
    const tokenInfo = (token: unknown) =>
      lab.fetch(new Request(`${ORIGIN}/tokeninfo?access_token=${token}`))
    const info = (await (await tokenInfo(body.access_token)).json()) as Record<string, unknown>
    assert.equal(info.aud, account)
    assert.equal(info.expires_in, '3599')
    assert.equal(lab.revokeAccessToken(String(body.access_token)), true)
    const after = await tokenInfo(body.access_token)
    assert.deepEqual(
      [after.status, await after.json()],
      [400, { error: 'invalid_token', error_description: 'Invalid Value' }],
    )
    const late = await ask(lab, statement({ exp: NOW + 7200 }))
    assert.match(String(late.body.error_description), /short-lived token \(60 minutes\)/)
    assert.equal((await ask(lab, { client_id: account })).body.error, 'unsupported_grant_type')
  })
})

describe('refusals', () => {
  for (const flavour of flavours) {
    test(`of ${flavour} have words for every problem`, async () => {
      const lab = open(flavour)
      for (const problem of TOKEN_PROBLEMS) {
        lab.problems.clear()
        lab.problems.add(problem)
        const { status, body } = await ask(lab, { client_id: 'app', scope: 'x' })
        assert.ok(status >= 400 && status < 500, problem)
        assert.ok(body.error ?? body.errorCode, problem)
        assert.doesNotMatch(JSON.stringify(body), /undefined/)
      }
    })
  }

  test('of Entra can be looked up by number, and traced', async () => {
    const lab = open('entra-v2', {
      apis: [{ uri: API }],
      clients: [{ clientId: 'app', secret: 's', redirectUris: ['https://app.example/cb'] }],
    })
    const scope = `${API}/.default`
    const cases: readonly (readonly [number, Record<string, string>])[] = [
      [700016, { client_id: 'nobody', client_secret: 's', scope }],
      [7000218, { client_id: 'app', scope }],
      [7000215, { client_id: 'app', client_secret: 'wrong', scope }],
      [70011, { client_id: 'app', client_secret: 's', scope: `${API}/Observation.rs` }],
      [900144, { client_id: 'app', client_secret: 's' }],
      [500011, { client_id: 'app', client_secret: 's', scope: 'api://typo/.default' }],
      [901002, { client_id: 'app', client_secret: 's', scope, resource: API }],
      [70003, { client_id: 'app', client_secret: 's', grant_type: 'password' }],
    ]
    for (const [code, form] of cases) {
      const { status, body } = await ask(lab, form)
      assert.ok(status === 400 || status === 401)
      assert.deepEqual(body.error_codes, [code])
      const text = String(body.error_description)
      assert.match(
        text,
        new RegExp(`^AADSTS${code}: .*Trace ID: ${body.trace_id} Correlation ID: `),
      )
      assert.match(text, /Timestamp: 2027-01-15 08:00:00Z$/)
    }
    const shared = await ask(
      lab,
      { client_id: 'app', client_secret: 's', scope },
      `${ORIGIN}/common/oauth2/v2.0/token`,
    )
    assert.deepEqual(shared.body.error_codes, [50059])
    const page = await lab.fetch(
      new Request(
        `${ORIGIN}/${LAB_TENANT}/oauth2/v2.0/authorize?client_id=app&redirect_uri=https://x/`,
      ),
    )
    assert.match(await page.text(), /AADSTS50011: The redirect URI/)
  })

  test('of Keycloak, Okta and Auth0 are in their words', async () => {
    const of = async (flavour: 'keycloak' | 'okta' | 'auth0', form: Record<string, string>) => {
      const clients = [
        { clientId: 'app', secret: 's', redirectUris: [], grants: ['authorization_code'] },
        { clientId: 'full', secret: 's', redirectUris: [], dpop: true },
        { clientId: 'spa', redirectUris: [] },
      ]
      const { status, body } = await ask(open(flavour, { clients, scopes: ['a'] }), form)
      return [status, body.error, body.error_description]
    }
    const app = { client_id: 'app', client_secret: 's', scope: 'a' }
    assert.deepEqual(await of('keycloak', app), [
      401,
      'unauthorized_client',
      'Client not enabled to retrieve service account',
    ])
    assert.deepEqual(await of('keycloak', { client_id: 'spa' }), [
      401,
      'unauthorized_client',
      'Public client not allowed to retrieve service account',
    ])
    assert.deepEqual(await of('keycloak', { ...app, client_secret: 'x' }), [
      401,
      'invalid_client',
      'Invalid client or Invalid client credentials',
    ])
    assert.deepEqual(await of('okta', { ...app, client_id: 'full' }), [
      400,
      'invalid_dpop_proof',
      'The DPoP proof JWT header is missing.',
    ])
    assert.deepEqual(await of('auth0', app), [
      403,
      'unauthorized_client',
      "Grant type 'client_credentials' not allowed for the client.",
    ])
  })
})

describe('introspection', () => {
  for (const flavour of ['keycloak', 'okta', 'generic'] as const) {
    test(`of ${flavour} tells of a token until it is revoked, to clients only`, async () => {
      const lab = open(flavour)
      const metadata = await discover(lab)
      const form = { client_id: 'app', client_secret: 's', scope: 'a' }
      const { access_token: token } = (await ask(lab, form)).body
      const about = async (credentials: Record<string, string>) =>
        ask(lab, { ...credentials, token: String(token) }, metadata.introspection_endpoint)
      const answer = (await about(form)).body
      assert.deepEqual([answer.active, answer.client_id, answer.iss], [true, 'app', lab.issuer])
      assert.ok((await about({ client_id: 'app' })).status >= 400)
      const body = new URLSearchParams({ ...form, token: String(token) })
      await lab.fetch(new Request(metadata.revocation_endpoint ?? '', { method: 'POST', body }))
      assert.deepEqual((await about(form)).body, { active: false })
    })
  }
})

describe('a token by hand', () => {
  const isGood = (token: string) => {
    const [header = '', body = '', signature = ''] = token.split('.')
    const data = Buffer.from(`${header}.${body}`)
    const publicKey = createPublicKey({ key: publicJwk(key), format: 'jwk' })
    return verify('sha256', data, publicKey, Buffer.from(signature, 'base64url'))
  }

  for (const flavour of flavours.filter((name) => name !== 'google')) {
    test(`of ${flavour} is the one that its token endpoint gives`, async () => {
      const lab = open(flavour, { audience: 'api://x', roles: ['r'] })
      const form = { client_id: 'app', client_secret: 's', scope: 'a', audience: API }
      const scope = flavour.startsWith('entra') ? `${API}/.default` : 'a'
      const asked = await ask(
        lab,
        flavour === 'entra-v1' ? { ...form, resource: API } : { ...form, scope },
      )
      const api = flavour.startsWith('entra') || flavour === 'auth0' ? { api: API } : {}
      const minted = lab.mintAccessToken({ clientId: 'app', scopes: ['a'], ...api })
      const names = (token: unknown) => Object.keys(read(token)).sort()
      assert.deepEqual(names(minted), names(asked.body.access_token))
      for (const name of ['iss', 'aud', 'sub', 'exp', 'scp', 'azp', 'cid', 'appid']) {
        assert.deepEqual(read(minted)[name], read(asked.body.access_token)[name], name)
      }
      const ofUser = read(lab.mintAccessToken({ userId: 'nora', scopes: ['a'], ...api }))
      assert.notEqual(ofUser.sub, read(minted).sub)
    })
  }

  test('can be wrong in every way that is named', () => {
    const lab = open('entra-v2')
    const wrong = (fault: LabTokenFault) =>
      lab.mintAccessToken({ wrong: [fault], claims: { x: 1 } })
    const unsound = new Set([
      'alg-none',
      'hs256-with-public-key',
      'forged',
      'unknown-key',
      'tampered',
    ])
    const right = read(lab.mintAccessToken())
    for (const fault of Object.keys(LAB_TOKEN_FAULTS) as LabTokenFault[]) {
      const token = wrong(fault)
      assert.equal(isGood(token), !unsound.has(fault), fault)
      assert.equal(read(token).x, 1)
    }
    const claims = (fault: LabTokenFault) => read(wrong(fault))
    assert.notEqual(claims('wrong-audience').aud, right.aud)
    assert.equal(claims('without-audience').aud, undefined)
    assert.ok(claims('expired').exp < NOW)
    assert.ok(claims('not-yet-valid').nbf > NOW)
    assert.notEqual(claims('other-tenant').tid, LAB_TENANT)
    assert.match(claims('other-tenant').iss, new RegExp(claims('other-tenant').tid))
    assert.equal(read(wrong('alg-none'), 0).alg, 'none')
    assert.equal(read(wrong('hs256-with-public-key'), 0).alg, 'HS256')
    assert.notEqual(read(wrong('unknown-key'), 0).kid, key.kid)
  })
})
