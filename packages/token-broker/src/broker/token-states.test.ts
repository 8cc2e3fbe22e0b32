import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failedOutcome, tokenOutcome } from '../test-support/scripted-requester.ts'
import { testBroker } from '../test-support/test-broker.ts'

const MINUTE_MS = 60_000

describe('a token of one hour', () => {
  test('is fetched once for 50 callers that come at once', async () => {
    const { broker, requester } = testBroker()
    const tokens = await Promise.all(Array.from({ length: 50 }, () => broker.getToken('lab')))
    assert.equal(requester.requests.length, 1)
    assert.deepEqual(new Set(tokens.map(({ accessToken }) => accessToken)), new Set(['token-1']))
  })

  test('is handed out without a request until 10 minutes before its end', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    await clock.advance(49 * MINUTE_MS)
    assert.equal((await broker.getToken('lab')).accessToken, 'token-1')
    await clock.settle()
    assert.equal(requester.requests.length, 1)
  })

  test('is renewed in the background from then on, and nobody waits for it', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    await clock.advance(51 * MINUTE_MS)
    requester.answer = undefined
    const during = await Promise.all(Array.from({ length: 20 }, () => broker.getToken('lab')))
    assert.deepEqual(new Set(during.map(({ accessToken }) => accessToken)), new Set(['token-1']))
    await clock.settle()
    assert.equal(requester.requests.length, 2)
    requester.requests[1]?.respond(tokenOutcome({ accessToken: 'second' }))
    await clock.settle()
    assert.equal((await broker.getToken('lab')).accessToken, 'second')
  })

  test('keeps callers waiting for the new one in its last minute', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    await clock.advance(59.5 * MINUTE_MS)
    assert.equal((await broker.getToken('lab')).accessToken, 'token-2')
    assert.equal(requester.requests.length, 2)
  })

  test('serves to its very end while the provider is away, with a warning, and not a moment longer', async () => {
    const { broker, requester, clock, eventsOf } = testBroker()
    const { expiresAt } = await broker.getToken('lab')
    requester.answer = () => failedOutcome()
    let warned = 0
    await clock.advance(48 * MINUTE_MS)
    for (let second = 48 * 60; second < 3599; second += 1) {
      await clock.advance(1000)
      const token = await broker.getToken('lab')
      assert.equal(token.accessToken, 'token-1')
      assert.equal(token.expiresAt, expiresAt)
      if (token.warnings.includes('refresh_failed')) warned += 1
    }
    assert.ok(warned > 500, `${warned} callers were warned`)
    assert.ok(eventsOf('refresh_failed').length > 5)
    // Backed off, not hammered: ten minutes of outage.
    assert.ok(requester.requests.length < 60, `${requester.requests.length} requests`)
    await clock.advance(1001)
    await assert.rejects(broker.getToken('lab'), {
      name: 'TokenUnavailable',
      message: /the provider answered 503/,
    })
  })
})
