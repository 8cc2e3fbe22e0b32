import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createLabIssuer, createLabKey, type LabTokenOptions } from '@scopegate/lab'
import { openGuardedServer } from './support/open-guarded-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// RFC 8693 at the edge: a token of an issuer that knows no SMART scopes in, ours out. Statement 63.
const web = await serveDocuments()
after(() => web.close())
const ISSUER = `${web.origin}/corporate`
const corporate = createLabIssuer({ issuer: ISSUER, keys: [createLabKey('RS256')] })
const other = createLabIssuer({ issuer: `${web.origin}/other`, keys: [createLabKey('RS256')] })
for (const { issuer, keySet } of [corporate, other]) {
  const path = new URL(issuer).pathname
  web.documents.set(`${path}/.well-known/openid-configuration`, () => ({
    body: { issuer, jwks_uri: `${issuer}/keys` },
  }))
  web.documents.set(`${path}/keys`, () => ({ body: keySet }))
}

const SECRET = 'a secret of the conformance suite, 32+'
const server = await openGuardedServer(
  `
issuers:
  - name: corporate
    issuer: "${ISSUER}"
    claims: { scopes: scp, roles: roles, fhirUser: "Practitioner/{employee}" }
    appOnly: { equal: { sub: "{client_id}" } }
    scopes:
      unmapped: drop
      map:
        Labs.Read: user/Observation.rs
        Charts.All: user/*.cruds
        Etl: system/Observation.rs
  - name: other
    issuer: "${other.issuer}"
fhir: { r4: { trust: [self], userPolicy: all } }
tokenExchange:
  - { issuer: corporate, clients: [edge], audiences: [corporate-api], scopes: "user/*.rs system/*.rs" }
clients:
  - id: edge
    secret: env:EDGE_SECRET
    grants: [urn:ietf:params:oauth:grant-type:token-exchange]
    scopes: user/Observation.rs user/Patient.rs system/Observation.rs
  - id: plain
    secret: env:EDGE_SECRET
    grants: [client_credentials, urn:ietf:params:oauth:grant-type:token-exchange]
    scopes: system/Observation.rs
`,
  { EDGE_SECRET: SECRET },
)
after(() => server.close())

const mint = (claims: Readonly<Record<string, unknown>>, more: Partial<LabTokenOptions> = {}) =>
  corporate.mintToken({ audience: 'corporate-api', header: { typ: 'JWT' }, ...more, claims })
const ofUser = (claims: Readonly<Record<string, unknown>> = {}) =>
  mint({ sub: 'ann', employee: 'pract-1', scp: 'Labs.Read', ...claims })

interface Exchanged {
  readonly status: number
  readonly body: Record<string, string>
  readonly claims: Record<string, unknown>
}

async function exchange(
  subject: string,
  { client = 'edge', ...form }: Record<string, string> = {},
): Promise<Exchanged> {
  const response = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: client,
      client_secret: SECRET,
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      ...form,
    }),
  })
  const body = (await response.json()) as Record<string, string>
  const [, part = ''] = (body.access_token ?? '').split('.')
  const claims = part === '' ? {} : JSON.parse(Buffer.from(part, 'base64url').toString())
  return { status: response.status, body, claims }
}

describe('a token of a user', () => {
  test('becomes a SMART token that says who acts, and opens what it says', async () => {
    const { status, body, claims } = await exchange(ofUser())
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token')
    assert.equal(body.token_type, 'Bearer')
    assert.equal(body.scope, 'user/Observation.rs')
    assert.deepEqual(claims.act, { sub: 'edge' })
    assert.equal(claims.fhirUser, 'Practitioner/pract-1')
    assert.equal(claims.iss, server.url)
    assert.equal(claims.aud, server.fhirUrl)
    assert.match(String(claims.sub), /^x_/, 'like no user and no client of ours')
    assert.equal((await server.fhir('/Observation', body.access_token)).status, 200)
    assert.equal((await server.fhir('/Patient', body.access_token)).status, 403)
    assert.equal(
      (await server.fhir('/Observation', ofUser())).status,
      401,
      'itself it opens nothing',
    )
  })

  test('never permits more than subject, registration and policy do together', async () => {
    const all = await exchange(ofUser({ scp: 'Charts.All' }))
    assert.deepEqual(all.body.scope?.split(' ').sort(), ['user/Observation.rs', 'user/Patient.rs'])
    const less = await exchange(ofUser({ scp: 'Charts.All' }), { scope: 'user/Patient.r' })
    assert.equal(less.body.scope, 'user/Patient.r')
    const more = await exchange(ofUser(), { scope: 'user/Patient.rs' })
    assert.deepEqual([more.status, more.body.error], [400, 'invalid_scope'])
    const system = await exchange(ofUser({ scp: 'Etl' }))
    assert.deepEqual([system.status, system.body.error], [400, 'invalid_scope'])
    const unknown = await exchange(ofUser({ scp: 'user/Observation.rs' }))
    assert.deepEqual([unknown.status, unknown.body.error], [400, 'invalid_scope'])
  })

  test('lives no longer than the token that was brought', async () => {
    const short = mint(
      { sub: 'ann', employee: 'pract-1', scp: 'Labs.Read' },
      { expiresInSeconds: 60 },
    )
    assert.ok(Number((await exchange(short)).body.expires_in) <= 60)
  })
})

test('a token of an app becomes one of the client', async () => {
  const { body, claims } = await exchange(mint({ sub: 'job', client_id: 'job', roles: ['Etl'] }))
  assert.equal(body.scope, 'system/Observation.rs')
  assert.equal(claims.sub, 'edge')
  assert.equal((await server.fhir('/Observation', body.access_token)).status, 200)
})

describe('refused, with the reason', () => {
  const idToken = 'urn:ietf:params:oauth:token-type:id_token'
  for (const [what, token, form, expected] of [
    ['an ID token by its type', ofUser(), { subject_token_type: idToken }, /only access tokens/],
    ['an ID token by its content', ofUser({ at_hash: 'x' }), {}, /ID token/],
    ['one for somebody else', mint({ sub: 'a' }, { audience: 'x' }), {}, /audience.*corporate-api/],
    ['an expired one', mint({ sub: 'a' }, { expiresInSeconds: -100 }), {}, /expired/],
    ['a forged one', corporate.wrong.forged({ audience: 'corporate-api' }), {}, /signature/],
    ['of an issuer without a policy', other.mintToken({ audience: 'corporate-api' }), {}, /issuer/],
    ['an actor', ofUser(), { actor_token: 'x' }, /actor_token/],
    ['another kind wanted', ofUser(), { requested_token_type: idToken }, /requested_token_type/],
    ['no token', '', {}, /subject_token/],
  ] as const) {
    test(what, async () => {
      const { status, body } = await exchange(token, form)
      assert.deepEqual([status, body.error], [400, 'invalid_request'], JSON.stringify(body))
      assert.match(body.error_description ?? '', expected)
      assert.ok(!(body.error_description ?? '').includes(token.slice(-20)) || token === '')
    })
  }

  test('our own token, a client without a policy, another API', async () => {
    const own = (await exchange(ofUser())).body.access_token ?? ''
    assert.equal((await exchange(own)).status, 400, 'no chain of exchanges')
    const plain = await exchange(ofUser(), { client: 'plain' })
    assert.equal(plain.status, 400)
    const admin = await exchange(ofUser(), { resource: `${server.url}/admin/api` })
    assert.deepEqual([admin.status, admin.body.error], [400, 'invalid_target'])
  })
})
