import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TokenUnavailable } from '@scopegate/oauth-model'
import type { Connection, TokenStore } from '@scopegate/token-broker'
import { createFakeClock } from '../test-support/fake-clock.ts'
import { failedOutcome, tokenOutcome } from '../test-support/scripted-requester.ts'
import { testBroker } from '../test-support/test-broker.ts'
import { testConnection } from '../test-support/test-connection.ts'

const SIGNED_IN = testConnection({ grant: 'refresh_token', refreshToken: () => 'refresh-0' })

/** Each answer brings the next refresh token. */
function rotating(options: { readonly connection?: Partial<Connection> } = {}) {
  const set = testBroker({ connections: [{ ...SIGNED_IN, ...options.connection }] })
  set.requester.answer = (_, count) =>
    tokenOutcome({ accessToken: `token-${count}`, refreshToken: `refresh-${count}` })
  return set
}

const CUT_OFF = failedOutcome({
  ...{ kind: 'network', code: 'connection_reset', cause: 'the connection was cut', wasSent: true },
  provider: {},
})
const NOT_SENT = failedOutcome({
  ...{ kind: 'network', code: 'refused', cause: 'nobody listens', wasSent: false },
  provider: {},
})
const INVALID_GRANT = failedOutcome({
  ...{ kind: 'sign-in', code: 'refresh_token_expired', cause: 'the session ended' },
  provider: { status: 400, error: 'invalid_grant' },
})

function failsWith(code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof TokenUnavailable)
    assert.equal(error.failure.code, code)
    return true
  }
}

const HOUR_MS = 3_600_000

describe('a refresh token', () => {
  test('is replaced by the one that came with the token, and the first is never sent again', async () => {
    const { broker, requester, clock } = rotating()
    for (let hour = 0; hour < 3; hour++) {
      await broker.getToken('lab')
      await clock.advance(HOUR_MS)
    }
    const sent = requester.requests.map(({ refreshToken }) => refreshToken)
    assert.deepEqual(sent, ['refresh-0', 'refresh-1', 'refresh-2'])
  })

  test('is stored before anybody gets the access token', async () => {
    const clock = createFakeClock()
    const { store } = testBroker({ clock })
    let isStored = false
    const slow: TokenStore = {
      ...store,
      async saveToken(saved) {
        await clock.sleep(1000)
        isStored = true
        return store.saveToken(saved)
      },
    }
    const { broker, requester } = testBroker({ clock, store: slow, connections: [SIGNED_IN] })
    requester.answer = () => tokenOutcome({ refreshToken: 'refresh-1' })
    const stored = broker.getToken('lab').then(() => isStored)
    await clock.advance(2000)
    assert.equal(await stored, true)
  })

  test('survives that the store goes away before it could be stored', async () => {
    const clock = createFakeClock()
    const { store } = testBroker({ clock })
    let isAway = false
    const failing: TokenStore = {
      ...store,
      saveToken: (saved) =>
        isAway ? Promise.reject(new Error('the database is away')) : store.saveToken(saved),
    }
    const { broker, requester } = testBroker({ clock, store: failing, connections: [SIGNED_IN] })
    requester.answer = (_, count) => {
      isAway = true
      return tokenOutcome({ accessToken: `token-${count}`, refreshToken: `refresh-${count}` })
    }
    const failed = assert.rejects(broker.getToken('lab'))
    await clock.advance(60_000)
    await failed
    isAway = false
    requester.answer = () => tokenOutcome({ accessToken: 'afterwards' })
    await clock.advance(60_000)
    assert.equal((await broker.getToken('lab')).accessToken, 'afterwards')
    assert.deepEqual(
      requester.requests.map(({ refreshToken }) => refreshToken),
      ['refresh-0', 'refresh-1'],
    )
  })

  test('is used by one request at a time, whatever the scopes', async () => {
    const { broker, requester, clock } = rotating()
    const wishes = [{}, { scopes: ['system/Patient.r'] }, { scopes: ['system/Observation.rs'] }]
    const tokens = Promise.all(wishes.map((wish) => broker.getToken('lab', wish)))
    await clock.advance(5000)
    await tokens
    assert.equal(requester.inFlight.most, 1)
    const sent = requester.requests.map(({ refreshToken }) => refreshToken)
    assert.deepEqual(sent, ['refresh-0', 'refresh-1', ...(sent.length > 2 ? ['refresh-2'] : [])])
  })

  test('that was sent and got no answer is not sent again: somebody must sign in, or an operator say so', async () => {
    const { broker, requester, eventsOf, clock } = rotating()
    requester.answer = () => CUT_OFF
    await assert.rejects(broker.getToken('lab'), failsWith('refresh_token_uncertain'))
    await clock.advance(HOUR_MS)
    await assert.rejects(broker.getToken('lab'), failsWith('refresh_token_uncertain'))
    assert.equal(requester.requests.length, 1)
    assert.equal(eventsOf('signed_out').length, 1)
    assert.equal((await broker.statusOf('lab'))?.state, 'signed-out')
    requester.answer = () => tokenOutcome()
    await broker.retry('lab')
    await broker.getToken('lab')
    assert.equal(requester.requests[1]?.refreshToken, 'refresh-0')
  })

  test('that never left is sent again, and so is one that was answered without a token', async () => {
    const { broker, requester, clock } = rotating()
    requester.answer = (_, count) =>
      count === 1 ? NOT_SENT : count === 2 ? failedOutcome() : tokenOutcome()
    const token = broker.getToken('lab')
    await clock.advance(10_000)
    assert.equal((await token).accessToken, 'token')
    assert.equal(requester.requests.length, 3)
  })

  test('of a provider that lets it be used twice is sent again in any case', async () => {
    const { broker, requester, clock } = rotating({ connection: { preset: 'google' } })
    requester.answer = (_, count) => (count === 1 ? CUT_OFF : tokenOutcome())
    const token = broker.getToken('lab')
    await clock.advance(5000)
    assert.equal((await token).accessToken, 'token')
  })

  test('that was refused is not sent again, until somebody signs in', async () => {
    const { broker, requester, clock } = rotating()
    requester.answer = () => INVALID_GRANT
    await assert.rejects(broker.getToken('lab'), failsWith('refresh_token_expired'))
    await clock.advance(HOUR_MS)
    await assert.rejects(broker.getToken('lab'), failsWith('refresh_token_expired'))
    assert.equal(requester.requests.length, 1)
    requester.answer = () => tokenOutcome({ accessToken: 'after sign-in' })
    await broker.storeGrant('lab', { refreshToken: 'signed-in' })
    assert.equal((await broker.getToken('lab')).accessToken, 'after sign-in')
    assert.equal(requester.requests[1]?.refreshToken, 'signed-in')
  })

  test('that was refused while somebody signed in anew gives way to the new one', async () => {
    const { broker, requester, clock } = rotating()
    requester.answer = undefined
    const token = broker.getToken('lab')
    await clock.settle()
    await broker.storeGrant('lab', { refreshToken: 'signed-in' })
    requester.answer = () => tokenOutcome({ accessToken: 'of the new one' })
    requester.requests[0]?.respond(INVALID_GRANT)
    await clock.advance(5000)
    assert.equal((await token).accessToken, 'of the new one')
  })

  test('of a process that ended before it stored the answer is taken for used up', async () => {
    const clock = createFakeClock()
    // Of the victim nothing is heard any more.
    const dead = { ...clock, sleep: () => new Promise<void>(() => {}) }
    const victim = testBroker({
      clock: dead,
      store: testBroker({ clock }).store,
      connections: [SIGNED_IN],
    })
    victim.requester.answer = undefined
    victim.broker.getToken('lab').catch(() => {})
    await clock.settle()
    assert.equal(victim.requester.requests.length, 1)
    const other = testBroker({
      clock,
      store: victim.store,
      connections: [SIGNED_IN],
      waitMs: 60_000,
    })
    const failed = assert.rejects(other.broker.getToken('lab'), failsWith('refresh_token_lost'))
    await clock.advance(20_000)
    await failed
    assert.equal(other.requester.requests.length, 0)
  })

  test('comes with a sign-in: its token serves at once, and one of before does not', async () => {
    const { broker, requester } = rotating()
    const before = await broker.getToken('lab')
    const outcome = tokenOutcome({ accessToken: 'signed in', refreshToken: 'r' })
    assert.ok(outcome.kind === 'token')
    await broker.storeGrant('lab', { token: outcome.token, subject: 'ada' })
    const after = await broker.getToken('lab')
    assert.deepEqual([before.accessToken, after.accessToken], ['token-1', 'signed in'])
    assert.equal(requester.requests.length, 1)
  })

  test('that nobody uses is used in time, by one process', async () => {
    const clock = createFakeClock()
    const connections = [{ ...SIGNED_IN, keepAliveSeconds: 100_000 }]
    const one = testBroker({ clock, connections })
    one.requester.answer = (_, count) => tokenOutcome({ refreshToken: `refresh-${count}` })
    const other = testBroker({ clock, connections, store: one.store, requester: one.requester })
    await one.broker.getToken('lab')
    await clock.advance(90_000_000)
    assert.equal(one.requester.requests.length, 1)
    await clock.advance(50_000_000)
    assert.equal(one.requester.requests.length, 2)
    assert.equal(one.requester.inFlight.most, 1)
    await Promise.all([one.broker.close(), other.broker.close()])
  })

  test('is of whoever signed in: nobody else can be chosen', async () => {
    const { broker, requester } = rotating()
    await assert.rejects(broker.getToken('lab', { subject: 'bob' }), /whoever signed in/)
    assert.equal(requester.requests.length, 0)
  })

  test('is missing before anybody has signed in, and the error says how to', async () => {
    const { refreshToken: _, ...connection } = SIGNED_IN
    const { broker, requester } = testBroker({ connections: [connection] })
    await assert.rejects(broker.getToken('lab'), /sign in once/)
    assert.equal(requester.requests.length, 0)
  })
})
