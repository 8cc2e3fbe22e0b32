import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { launch, REDIRECT_URI } from '../testing/launch-app.ts'
import { type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
before(async () => {
  at = await startApps(storage)
})
after(() => at.close())

const registration = {
  clientId: 'growth-chart',
  name: 'Growth chart',
  public: true,
  grants: ['authorization_code', 'refresh_token'],
  scopes: 'openid fhirUser launch/patient patient/Observation.rs offline_access',
  redirectUris: [REDIRECT_URI],
}

async function refresh(refresh_token: string) {
  const response = await fetch(`${at.issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: registration.clientId,
      refresh_token,
    }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

test('what a user gave a client ends with it, and is not the next one’s of its name', async () => {
  assert.ok((await at.server.clients.add(registration)).ok)
  at.signIn.decision = { context: { patient: 'p1' } }
  const { body } = await launch(at, registration.clientId)
  const lives = await refresh(body.refresh_token)
  assert.equal(lives.status, 200, JSON.stringify(lives.body))
  const token = lives.body.refresh_token ?? body.refresh_token

  assert.ok((await at.server.clients.remove(registration.clientId)).ok)
  assert.equal((await refresh(token)).status, 401)
  assert.deepEqual(await at.server.grants.list({ clientId: registration.clientId }), [])

  assert.ok((await at.server.clients.add(registration)).ok)
  const after = await refresh(token)
  assert.deepEqual([after.status, after.body.error], [400, 'invalid_grant'])
})

test('a disabled client gets no refresh, and goes on when it is enabled', async () => {
  const { clientId } = registration
  at.signIn.decision = { context: { patient: 'p1' } }
  const { body } = await launch(at, clientId)
  await at.server.clients.setDisabled(clientId, true)
  assert.equal((await refresh(body.refresh_token)).status, 401)
  await at.server.clients.setDisabled(clientId, false)
  assert.equal((await refresh(body.refresh_token)).status, 200)
})

test('a client that registered itself and removes itself ends what users gave it', async () => {
  const made = await at.server.registrationTokens.create({
    name: 'partners',
    scopes: registration.scopes,
    redirectHosts: ['app.example'],
  })
  assert.ok(made.ok)
  const response = await fetch(`${at.issuer}/oauth/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Dynamic',
      redirect_uris: [REDIRECT_URI],
      grant_types: registration.grants,
      token_endpoint_auth_method: 'none',
    }),
  })
  const client = (await response.json()) as Record<string, string>
  assert.equal(response.status, 201, JSON.stringify(client))
  at.signIn.decision = { context: { patient: 'p1' } }
  const { status, body } = await launch(at, String(client.client_id))
  assert.equal(status, 200, JSON.stringify(body))
  const grants = () => at.server.grants.list({ clientId: String(client.client_id) })
  assert.equal((await grants()).length, 1)
  const removed = await fetch(String(client.registration_client_uri), {
    method: 'DELETE',
    headers: { authorization: `Bearer ${client.registration_access_token}` },
  })
  assert.equal(removed.status, 204)
  assert.deepEqual(await grants(), [])
})
