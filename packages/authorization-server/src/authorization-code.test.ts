import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { authorizationOf, authorize, exchange, launch, REDIRECT_URI } from './testing/launch-app.ts'
import { createSignInStub } from './testing/sign-in-stub.ts'
import { type StartedServer, startServer } from './testing/start-server.ts'

const storage = await testStorage()
const signIn = createSignInStub()
let at: StartedServer
let app: string

before(async () => {
  at = await startServer(storage, { signIn })
  const added = await at.server.clients.add({
    name: 'Growth Chart',
    public: true,
    scopes:
      'openid fhirUser profile launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds',
    grants: ['authorization_code', 'refresh_token'],
    redirectUris: [REDIRECT_URI],
  })
  assert.ok(added.ok, JSON.stringify(added))
  app = added.client.clientId
})
after(() => at.close())

describe('a launch', () => {
  test('gives tokens with the context beside them', async () => {
    signIn.decision = { context: { patient: 'p1', need_patient_banner: true, tenant: 't' } }
    const { status, body } = await launch(at, app)
    assert.equal(status, 200, JSON.stringify({ body, refusals: at.refusals, errors: at.errors }))
    assert.equal(body.patient, 'p1')
    console.log(body)
  })
})
