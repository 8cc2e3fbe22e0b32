import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { askToken } from '../testing/ask-token.ts'
import { startServer } from '../testing/start-server.ts'

const storage = await testStorage()

async function start(limits: { requestsPerMinute?: number; failuresPerMinute?: number }) {
  const clock = { nowMs: Date.now() }
  const at = await startServer(storage, { limits, nowMs: () => clock.nowMs })
  const added = await at.server.clients.add({
    name: 'a',
    scopes: 'system/Patient.rs',
    grants: ['client_credentials'],
  })
  assert.ok(added.ok)
  const good = { client_id: added.client.clientId, client_secret: added.clientSecret ?? '' }
  return { at, clock, good, wrong: { ...good, client_secret: 'sgs_wrong' } }
}

describe('too many failures from one address', () => {
  test('are answered 429 with Retry-After, and the right credential still works', async () => {
    const { at, clock, good, wrong } = await start({ failuresPerMinute: 5 })
    for (let i = 0; i < 5; i++) assert.equal((await askToken(at.issuer, wrong)).status, 401)
    const limited = await askToken(at.issuer, wrong)
    assert.equal(limited.status, 429)
    assert.ok(Number(limited.headers.get('retry-after')) > 0)
    assert.equal(limited.body.error, 'invalid_client')
    assert.match(
      limited.body.error_description,
      /more than 5 failed client authentications per min/,
    )
    assert.match(limited.body.error_description, /correct the credential, and wait \d+ s/)
    assert.match(limited.body.error_description, /limits\.authenticationFailuresPerMinute/)
    assert.equal((await askToken(at.issuer, good)).status, 200, 'nobody is locked out')
    clock.nowMs += 61_000
    assert.equal((await askToken(at.issuer, wrong)).status, 401)
    at.close()
  })

  test('are not made more by a clock that is set back', async () => {
    const { at, clock, wrong } = await start({ failuresPerMinute: 5 })
    assert.equal((await askToken(at.issuer, wrong)).status, 401)
    clock.nowMs -= 3_600_000
    assert.equal((await askToken(at.issuer, wrong)).status, 401)
    at.close()
  })

  test('as a flood are not looked at, except of a client that was right from there', async () => {
    const { at, good, wrong } = await start({ failuresPerMinute: 2 })
    assert.equal((await askToken(at.issuer, good)).status, 200)
    for (let i = 0; i < 21; i++) await askToken(at.issuer, { ...wrong, client_id: 'nobody' })
    const stranger = await askToken(at.issuer, { ...wrong, client_id: 'nobody' })
    assert.equal(stranger.status, 429)
    assert.ok(Number(stranger.headers.get('retry-after')) > 0)
    assert.equal(stranger.body.error, 'temporarily_unavailable')
    assert.match(stranger.body.error_description, /more than 2 failed .*wait \d+ s/)
    assert.equal(at.refusals.at(-1)?.code, 'too_many_failures')
    assert.equal((await askToken(at.issuer, good)).status, 200)
    at.close()
  })
})

describe('too many tokens for one client', () => {
  test('are answered 429, counted for that client alone and only when it is authenticated', async () => {
    const { at, clock, good, wrong } = await start({ requestsPerMinute: 3 })
    for (let i = 0; i < 5; i++) await askToken(at.issuer, wrong)
    for (let i = 0; i < 3; i++) assert.equal((await askToken(at.issuer, good)).status, 200)
    const limited = await askToken(at.issuer, good)
    assert.equal(limited.status, 429)
    assert.equal(limited.body.error, 'temporarily_unavailable')
    assert.match(
      limited.body.error_description,
      /more than 3 token requests per minute of this client: wait \d+ s, and use each token until/,
    )
    assert.match(limited.body.error_description, /limits\.tokenRequestsPerMinute/)
    assert.equal(at.refusals.at(-1)?.code, 'too_many_requests')
    clock.nowMs += Number(limited.headers.get('retry-after')) * 1000
    assert.equal((await askToken(at.issuer, good)).status, 200)
    at.close()
  })
})
