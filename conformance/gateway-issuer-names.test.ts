import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { openBank } from './support/bank.ts'
import { openGuardedServer } from './support/open-guarded-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// Problem 4, 5: the issuer that browsers know as `keycloak` is `localhost` from here, or the other
// way round. Both names are told, with one step to take; and step 3 with a token that has expired.
const NAMED = 'http://keycloak:8080/realms/bank'
const web = await serveDocuments()
const near = `${web.origin}/realms/bank`
const lab = createLabIssuer({ issuer: NAMED, keys: [createLabKey('RS256')] })
web.documents.set('/realms/bank/.well-known/openid-configuration', () => ({
  body: { issuer: NAMED, jwks_uri: `${NAMED}/certs` },
}))
web.documents.set('/realms/bank/certs', () => ({ body: lab.keySet }))
const bank = await openBank()
const settings = (issuer: string) => `
issuers:
  - { name: keycloak, ${issuer}, typ: any }
apis:
  - name: bank
    path: /bank
    upstream: ${bank.url}
    auth: { trust: [keycloak], audiences: [bank-monitor], username: preferred_username }
    routes: [{ path: /checkbalance, methods: [GET], scopes: [bank.balance.read] }]
    forward: { headers: { X-User: username } }
`
const server = await openGuardedServer(settings(`issuer: "${near}"`))
after(async () => {
  await server.close()
  await bank.close()
  await web.close()
})

const mint = (claims: object = {}, seconds = 300, issuer = NAMED) =>
  lab.mintToken({
    audience: 'bank-monitor',
    scope: 'bank.balance.read',
    expiresInSeconds: seconds,
    claims: { iss: issuer, preferred_username: 'user1', ...claims },
  })
async function ask(token: string) {
  const response = await fetch(`${server.url}/bank/checkbalance`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const { headers, status } = response
  return {
    status,
    challenge: headers.get('www-authenticate') ?? '',
    body: (await response.json()) as Record<string, unknown>,
  }
}
const issuerFinding = async () =>
  (await server.doctor()).find(
    ({ subject, check }) => subject === 'issuer keycloak' && check === 'issuer',
  )

describe('4.5 an issuer that states another name than the configuration', () => {
  test('the doctor shows both values, and the one step to take', async () => {
    const finding = await issuerFinding()
    assert.equal(finding?.outcome, 'fail')
    for (const name of [near, NAMED]) assert.ok(finding?.found.includes(name), finding?.found)
    assert.ok(finding?.fix?.includes(`issuer: ${NAMED}`), finding?.fix)
    assert.ok(finding?.fix?.includes(`backchannelUrl: ${near}`), finding?.fix)
  })

  test('its keys are not used: no token of either name is taken, and none is called invalid', async () => {
    const spoken = await ask(mint({}, 300, near))
    assert.equal(spoken.status, 503)
    assert.equal(spoken.body.code, 'keys_unavailable')
    const named = await ask(mint())
    assert.deepEqual([named.status, named.body.code], [401, 'issuer_unknown'])
  })

  test('with the step taken the tokens that people get are taken, and the doctor is content', async () => {
    await server.restart(settings(`issuer: "${NAMED}", backchannelUrl: "${near}"`))
    const { status, body } = await ask(mint())
    assert.equal(status, 200)
    assert.deepEqual(body, { dollars: 5 })
    assert.equal((await issuerFinding())?.outcome, 'pass')
    assert.equal((await ask(mint({}, 300, near))).status, 401, 'the near name is not an issuer')
  })

  test('with the other name as an alias the tokens of both are taken', async () => {
    await server.restart(
      settings(`issuer: "${near}", aliases: ["${NAMED}"], backchannelUrl: "${near}"`),
    )
    assert.equal((await ask(mint())).status, 200)
    assert.equal((await ask(mint({}, 300, near))).status, 200)
    assert.equal((await ask(mint({}, 300, 'http://other:8080/realms/bank'))).status, 401)
  })
})

describe('4.3 a token that was good', () => {
  test('and has expired: 401 that says since when, within what tolerance', async () => {
    const { status, challenge, body } = await ask(mint({}, -120))
    assert.equal(status, 401)
    assert.match(challenge, /^Bearer realm="bank", error="invalid_token"/)
    assert.equal(body.code, 'token_expired')
    assert.match(String(body.detail), /expired/)
  })

  test('and is not good yet', async () => {
    const later = Math.floor(Date.now() / 1000) + 600
    const { status, body } = await ask(mint({ nbf: later }))
    assert.deepEqual([status, body.code], [401, 'token_not_yet_valid'])
  })
})
