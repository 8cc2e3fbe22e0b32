import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLabIssuer, createLabKey, type LabTokenOptions } from '@scopegate/lab'
import { openGuardedServer } from './support/open-guarded-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// The walk-through of a FHIR server that is guarded by Microsoft Entra, step by step.
const TENANT = '7b5b0f3e-2b1a-4a55-9c07-3d1f4e7a9c10'
const OTHER_TENANT = '99999999-2b1a-4a55-9c07-3d1f4e7a9c10'
const API = '11111111-4c1d-4b7e-8a2f-5e9d0c6b7a88'
const APP = '22222222-4c1d-4b7e-8a2f-5e9d0c6b7a88'
const V2 = `https://login.microsoftonline.com/${TENANT}/v2.0`
const V1 = `https://sts.windows.net/${TENANT}/`

const entra = createLabIssuer({ issuer: V2, keys: [createLabKey('RS256')] })
const documents = await serveDocuments()
after(() => documents.close())
const keysPath = `/${TENANT}/discovery/v2.0/keys`
documents.documents.set(`/${TENANT}/v2.0/.well-known/openid-configuration`, () => ({
  body: { issuer: V2, jwks_uri: `https://login.microsoftonline.com${keysPath}` },
}))
documents.documents.set(keysPath, () => ({
  // As Entra publishes them: no `alg`, and for whom each key may sign.
  body: {
    keys: entra.keySet.keys.map((key) => ({
      ...key,
      alg: undefined,
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    })),
  },
}))

const settings = ({ audiences = '', map = '', aliases = '' } = {}) => `
issuers:
  - name: entra
    preset: entra-v2
    tenant: ${TENANT}
    backchannelUrl: ${documents.origin}/${TENANT}/v2.0
    aliases: [${aliases}]
    claims: { fhirUser: "Practitioner/{employeeid}" }
    scopes: { map: { Observation.rs: user/Observation.rs${map} } }
fhir:
  r4: { trust: [entra], audiences: [${audiences}], userPolicy: all }
`
const ROLE = ', FHIR.Observation.Read: system/Observation.rs'

const server = await openGuardedServer(settings())
after(() => server.close())

type Claims = LabTokenOptions['claims']
const mint = (claims: Claims, audience: string = API) =>
  entra.mintToken({
    audience,
    expiresInSeconds: 3600,
    header: { typ: 'JWT' },
    claims: { client_id: undefined, jti: undefined, ver: '2.0', azp: APP, tid: TENANT, ...claims },
  })
const ofUser = (claims: Claims = {}, audience?: string) =>
  mint(
    { sub: 'pairwise', oid: 'o1', scp: 'Observation.rs', employeeid: 'pract-1', ...claims },
    audience,
  )
const ofApp = (claims: Claims = {}) => mint({ sub: 'sp1', oid: 'sp1', idtyp: 'app', ...claims })

test('1 without an accepted audience: 401 that names what was expected and what came', async () => {
  const { status, challenge, body, headers } = await server.fhir('/Observation', ofUser())
  assert.equal(status, 401)
  assert.match(
    challenge,
    /^Bearer realm="[^"]+", error="invalid_token", error_description="the aud/,
  )
  const [issue] = body.issue ?? []
  assert.equal(body.resourceType, 'OperationOutcome')
  assert.ok(issue?.code === 'login' || issue?.code === 'security')
  assert.ok(issue?.diagnostics?.includes(API), 'the received audience')
  assert.ok(issue.diagnostics?.includes(server.fhirUrl), 'the expected one')
  assert.ok(headers.get('x-request-id'))
})

test('2 the admin API lists the checks in order, with the fix', async () => {
  const { checks, fix } = await server.explain('/Observation', ofUser())
  const outcomes = Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]))
  for (const name of ['issuer_known', 'algorithm', 'key', 'signature', 'times']) {
    assert.equal(outcomes[name], 'pass', name)
  }
  assert.equal(outcomes.audience, 'fail')
  assert.equal(outcomes.scopes, 'skipped')
  const audience = checks.find(({ name }) => name === 'audience')
  assert.deepEqual(
    [audience?.code, audience?.expected, audience?.got],
    ['audience_mismatch', server.fhirUrl, API],
  )
  assert.match(String(fix), /add it to `audiences` of this endpoint/)
  const diagnosed = await server.explain('/Observation', ofUser(), 'diagnose/token')
  assert.deepEqual([diagnosed.status, diagnosed.fix], [401, fix], 'the other address is the same')
})

test('3 the same token with the audience listed: 200', async () => {
  await server.restart(settings({ audiences: `"${API}"` }))
  const { status, body } = await server.fhir('/Observation', ofUser())
  assert.equal(status, 200)
  assert.equal(body.resourceType, 'Bundle')
})

test('4 an app role that is not mapped: 403 that tells what was seen; mapped: 200', async () => {
  const token = ofApp({ roles: ['FHIR.Observation.Read'] })
  const refused = await server.fhir('/Observation', token)
  assert.equal(refused.status, 403)
  assert.match(refused.challenge, /error="insufficient_scope"/)
  assert.match(
    refused.body.issue?.[0]?.details?.text ?? '',
    /claims seen: roles=\[FHIR\.Observation\.Read\]; mapped scopes: none/,
  )
  const without = await server.fhir('/Observation', ofApp())
  assert.equal(without.status, 403)
  assert.match(
    without.body.issue?.[0]?.details?.text ?? '',
    /claims seen: none; mapped scopes: none/,
  )

  await server.restart(settings({ audiences: `"${API}"`, map: ROLE, aliases: `"${V1}"` }))
  assert.equal((await server.fhir('/Observation', token)).status, 200)
  const patient = await server.fhir('/Patient', token)
  assert.equal(patient.status, 403, 'the role is mapped to observations only')
})

test('4 roles of a user, and ID tokens with roles, make no system scopes', async () => {
  const roles = ['FHIR.Observation.Read']
  const delegated = await server.fhir('/Observation', ofUser({ scp: 'openid', roles }))
  assert.equal(delegated.status, 403)
  assert.match(delegated.body.issue?.[0]?.details?.text ?? '', /roles of a user make no scopes/)
  const named = ofApp({ roles, idtyp: undefined, preferred_username: 'ann@example.org' })
  assert.equal((await server.fhir('/Observation', named)).status, 403)
  const pairwise = ofApp({ roles, idtyp: undefined, oid: 'o1' })
  assert.equal((await server.fhir('/Observation', pairwise)).status, 403)
  const idToken = mint({ sub: 'sp1', oid: 'sp1', azp: undefined, roles })
  const refused = await server.fhir('/Observation', idToken)
  assert.equal(refused.status, 401)
  assert.match(refused.challenge, /no `azp or appid` claim/)
})

test('4 SMART scopes that Entra spells itself are not taken', async () => {
  const { status } = await server.fhir('/Observation', ofUser({ scp: 'user/Observation.rs' }))
  assert.equal(status, 403)
})

test('5 v1 tokens of the tenant beside v2; no other tenant, by issuer or by `tid`', async () => {
  const v1 = { iss: V1, ver: '1.0', azp: undefined, appid: APP }
  assert.equal((await server.fhir('/Observation', ofUser(v1))).status, 200)
  for (const [claims, code] of [
    [{ iss: V2.replace(TENANT, OTHER_TENANT), tid: OTHER_TENANT }, 'issuer_unknown'],
    [{ tid: OTHER_TENANT }, 'issuer_other_tenant'],
    [{ tid: undefined }, 'issuer_other_tenant'],
  ] as const) {
    const token = ofUser(claims)
    const { status, challenge } = await server.fhir('/Observation', token)
    assert.equal(status, 401)
    assert.match(challenge, /issuer/)
    const { checks } = await server.explain('/Observation', token)
    assert.equal(checks.find(({ outcome }) => outcome === 'fail')?.code, code)
  }
})

test('6 what is unsigned, or signed with the public key, is refused', async () => {
  const wish: LabTokenOptions = {
    audience: API,
    header: { typ: 'JWT' },
    claims: { azp: APP, tid: TENANT, scp: 'Observation.rs' },
  }
  for (const how of ['unsigned', 'hmacWithPublicKey', 'forged', 'expired'] as const) {
    assert.equal((await server.fhir('/Observation', entra.wrong[how](wish))).status, 401, how)
  }
})

test('6 the audience cannot be switched off', async () => {
  for (const [claims, audience] of [
    [{ aud: undefined }, undefined],
    [{ aud: '' }, undefined],
    [{ aud: [] }, undefined],
    [{}, '*'],
  ] as const) {
    const { status } = await server.fhir('/Observation', ofUser(claims, audience))
    assert.equal(status, 401, JSON.stringify({ claims, audience }))
  }
  const own = ofUser({}, server.fhirUrl)
  assert.equal((await server.fhir('/Observation', own)).status, 200, 'its own URL always is one')
})

test('the keys came over the back channel, by the names that Entra states', () => {
  assert.ok(documents.count(keysPath) >= 1)
})
