import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { askToken } from '../testing/ask-token.ts'
import { startServer } from '../testing/start-server.ts'

const storage = await testStorage()

for (const [setting, scope] of [
  ['reject', undefined],
  ['ignore', 'system/Patient.rs'],
  ['issue', 'openid system/Patient.rs'],
] as const) {
  test(`client credentials with \`openid\`, set to ${setting}`, async () => {
    const at = await startServer(storage, { openidOnClientCredentials: setting })
    const added = await at.server.clients.add({
      name: setting,
      scopes: 'system/Patient.rs',
      grants: ['client_credentials'],
    })
    assert.ok(added.ok)
    const credentials = {
      client_id: added.client.clientId,
      client_secret: added.clientSecret ?? '',
    }
    const { status, body } = await askToken(at.issuer, {
      ...credentials,
      scope: 'openid system/Patient.rs',
    })
    assert.equal(body.id_token, undefined, 'never an ID token')
    if (scope === undefined) {
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_scope')
      assert.equal(at.refusals[0]?.code, 'openid_without_user')
    } else {
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.scope, scope)
      assert.equal(body.refresh_token, undefined)
      assert.ok(body.expires_in <= 300)
    }
    const only = await askToken(at.issuer, { ...credentials, scope: 'openid' })
    assert.equal(only.status, 400, 'not alone, whatever is set')
    at.close()
  })
}
