import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTokenBroker, findLeaseProblem, type TokenStore } from '@scopegate/token-broker'
import { createFakeClock } from '../test-support/fake-clock.ts'
import {
  createScriptedRequester,
  failedOutcome,
  tokenOutcome,
} from '../test-support/scripted-requester.ts'
import { testBroker } from '../test-support/test-broker.ts'
import { testConnection } from '../test-support/test-connection.ts'
import { lifetimeOf } from './lifetime.ts'

const HOUR_MS = 3_600_000
const NOW_MS = 1_767_225_600_000
const OPTIONS = { nowMs: NOW_MS, defaultSeconds: 900 }
const inSeconds = (seconds: number) => NOW_MS / 1000 + seconds

describe('the life of a token', () => {
  const cases = [
    ['as the provider says', { expiresInSeconds: 3600 }, 3600, []],
    [
      'no longer than its own `exp`',
      { expiresInSeconds: 3600, jwtExpiresAt: inSeconds(600) },
      600,
      [],
    ],
    ['its own `exp`, where nothing was said', { jwtExpiresAt: inSeconds(600) }, 600, []],
    [
      '`exp` by the clock of the provider',
      { jwtExpiresAt: inSeconds(900), clockSkewSeconds: 300 },
      600,
      [],
    ],
    ['the default of the connection, where nothing is known', {}, 900, ['lifetime_unknown']],
    ['the default for 0', { expiresInSeconds: 0 }, 900, ['lifetime_unknown']],
    ['a day for ten years', { expiresInSeconds: 315_360_000 }, 86_400, ['lifetime_capped']],
    [
      'as the provider says, where `exp` makes no sense by a clock that is wrong',
      { expiresInSeconds: 3600, jwtExpiresAt: inSeconds(-7200) },
      ...([3600, ['clock_skew_suspected']] as const),
    ],
    [
      'over, where it had expired when it came',
      { jwtExpiresAt: inSeconds(0), clockSkewSeconds: 5 },
      -5,
      [],
    ],
  ] as const
  for (const [name, token, seconds, warnings] of cases) {
    test(`is ${name}`, () => {
      const { lifeMs, warnings: seen } = lifetimeOf(token, OPTIONS)
      assert.deepEqual([lifeMs / 1000, seen], [seconds, warnings])
    })
  }

  test('of those that have expired when they come makes no storm', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = () => {
      const jwtExpiresAt = Math.floor(clock.nowMs() / 1000) - 100
      return tokenOutcome({ expiresInSeconds: 10, jwtExpiresAt, clockSkewSeconds: 0 })
    }
    for (let call = 0; call < 20; call++) {
      await assert.rejects(broker.getToken('lab'), /expired when it came/)
    }
    assert.equal(requester.requests.length, 1)
  })
})

describe('clocks that are set', () => {
  test('back bring no old token to life and cause no request', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    await clock.advance(30 * 60_000)
    clock.leap(-HOUR_MS)
    for (let call = 0; call < 10; call++) await broker.getToken('lab')
    assert.equal(requester.requests.length, 1)
    await clock.advance(31 * 60_000)
    assert.equal((await broker.getToken('lab')).accessToken, 'token-2')
    assert.equal(requester.requests.length, 2)
  })

  test('ahead cost one renewal: so does a machine that slept', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    clock.leap(2 * HOUR_MS)
    for (let call = 0; call < 10; call++) {
      assert.equal((await broker.getToken('lab')).accessToken, 'token-2')
    }
    clock.leap(-2 * HOUR_MS)
    for (let call = 0; call < 10; call++) await broker.getToken('lab')
    assert.equal(requester.requests.length, 2)
  })
})

describe('a lease', () => {
  test('that does not outlast the request is refused before anything starts', () => {
    const deps = { requester: createScriptedRequester(), nowMs: Date.now }
    assert.throws(
      () =>
        createTokenBroker({
          ...deps,
          connections: [testConnection()],
          store: {} as TokenStore,
          leaseMs: 8000,
        }),
      { name: 'RangeError', message: /connection `lab`: the lease must exceed the timeout/ },
    )
    assert.match(findLeaseProblem(600_000) ?? '', /too long/)
    assert.equal(findLeaseProblem(60_000), undefined)
  })

  test('is over after the request, even where that does not heed its signal', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = undefined
    const failed = assert.rejects(broker.getToken('lab'))
    await clock.advance(10_000)
    assert.equal(requester.requests[0]!.signal.aborted, false)
    await clock.advance(2000)
    assert.equal(requester.requests[0]!.signal.aborted, true)
    await clock.advance(20_000)
    await failed
  })

  test('of a process that was killed is taken over when it has run out', async () => {
    const clock = createFakeClock()
    const victim = testBroker({ clock })
    const killed: TokenStore = { ...victim.store }
    // The victim got the lease and was never heard of again.
    const { keys } = { keys: await leaseKeyOf(victim.store, clock) }
    await killed.acquire({ key: keys, durationMs: 15_500 })
    const { broker, requester } = testBroker({ clock, store: victim.store, waitMs: 60_000 })
    const token = broker.getToken('lab')
    await clock.advance(14_000)
    assert.equal(requester.requests.length, 0)
    await clock.advance(3000)
    assert.equal((await token).accessToken, 'token-1')
  })

  test('that seems to last for ever, since the clock of the store was set back, is taken over after its time', async () => {
    const clock = createFakeClock()
    const { store } = testBroker({ clock })
    const stuck: TokenStore = {
      ...store,
      acquire: async (lease) =>
        lease.stuckFence === undefined
          ? { kind: 'busy', fence: 1, durationMs: 15_500 }
          : store.acquire(lease),
    }
    const { broker, requester } = testBroker({ clock, store: stuck, waitMs: 60_000 })
    const token = broker.getToken('lab')
    await clock.advance(16_000)
    assert.equal(requester.requests.length, 0)
    await clock.advance(2000)
    assert.equal((await token).accessToken, 'token-1')
  })

  test('that was lost makes a late answer worthless', async () => {
    const clock = createFakeClock()
    const { store } = testBroker({ clock })
    const losing: TokenStore = { ...store, saveToken: async () => ({ token: false, grant: false }) }
    const { broker, eventsOf } = testBroker({ clock, store: losing })
    const failed = assert.rejects(broker.getToken('lab'))
    await clock.advance(60_000)
    await failed
    assert.ok(eventsOf('late_answer_ignored').length > 0)
    assert.equal(eventsOf('fetched').length, 0)
  })
})

describe('a store that is away', () => {
  const away = (): Promise<never> => Promise.reject(new Error('the database is away'))

  function without(store: TokenStore): TokenStore {
    return {
      ...store,
      look: away,
      acquire: away,
      release: away,
      saveToken: away,
      discardToken: away,
    }
  }

  test('does not keep one process from having tokens', async () => {
    const clock = createFakeClock()
    const { store } = testBroker({ clock })
    const { broker, requester, eventsOf } = testBroker({ clock, store: without(store) })
    const tokens = await Promise.all([broker.getToken('lab'), broker.getToken('lab')])
    assert.deepEqual(
      tokens.map(({ accessToken }) => accessToken),
      ['token-1', 'token-1'],
    )
    await clock.advance(HOUR_MS)
    assert.equal((await broker.getToken('lab')).accessToken, 'token-2')
    assert.equal(requester.requests.length, 2)
    assert.equal(eventsOf('store_unavailable').length, 2)
    requester.answer = () => failedOutcome()
    await clock.advance(HOUR_MS)
    const failed = assert.rejects(broker.getToken('lab'))
    await clock.advance(30_000)
    await failed
    assert.ok(requester.requests.length <= 6, `${requester.requests.length} requests`)
  })

  test('keeps refresh tokens unused: nothing is sent that could not be stored', async () => {
    const clock = createFakeClock()
    const { store } = testBroker({ clock })
    const { broker, requester } = testBroker({
      ...{ clock, store: without(store) },
      connections: [testConnection({ grant: 'refresh_token', refreshToken: () => 'r' })],
    })
    const failed = assert.rejects(broker.getToken('lab'), /cannot be used: the database is away/)
    await clock.advance(60_000)
    await failed
    assert.equal(requester.requests.length, 0)
  })
})

describe('a process', () => {
  test('that starts takes the token that is stored', async () => {
    const clock = createFakeClock()
    const before = testBroker({ clock })
    await before.broker.getToken('lab')
    await clock.advance(HOUR_MS / 2)
    const after = testBroker({ clock, store: before.store })
    const token = await after.broker.getToken('lab')
    assert.equal(token.accessToken, 'token-1')
    assert.equal(after.requester.requests.length, 0)
    await clock.advance(HOUR_MS / 2 - 5 * 60_000)
    await after.broker.getToken('lab')
    await clock.settle()
    assert.equal(after.requester.requests.length, 1)
  })

  test('whose connection changed does not use what the former one got', async () => {
    const clock = createFakeClock()
    const before = testBroker({ clock })
    await before.broker.getToken('lab')
    const connections = [testConnection({ revision: 'r2' })]
    const after = testBroker({ clock, store: before.store, connections })
    after.requester.answer = () => tokenOutcome({ accessToken: 'of the new one' })
    assert.equal((await after.broker.getToken('lab')).accessToken, 'of the new one')
    const removed = testBroker({ clock, store: before.store, connections: [] })
    await assert.rejects(removed.broker.getToken('lab'), /no connection of that name/)
  })

  test('keeps the latest of many tokens in memory, and asks the store for the others', async () => {
    const { broker, requester } = testBroker({ maxTokens: 100 })
    for (let subject = 0; subject < 300; subject++) {
      await broker.getToken('lab', { subject: `user-${subject}` })
    }
    await broker.getToken('lab', { subject: 'user-299' })
    await broker.getToken('lab', { subject: 'user-0' })
    assert.equal(requester.requests.length, 300)
  })

  test('counts on where its configuration was read again', async () => {
    const counts = new Map()
    const clock = createFakeClock()
    const before = testBroker({ clock, counts })
    await before.broker.getToken('lab')
    const after = testBroker({ clock, counts, store: before.store })
    await after.broker.getToken('lab')
    await after.broker.getToken('lab')
    const status = await after.broker.statusOf('lab')
    assert.deepEqual([status?.state, status?.fetches, status?.waiting], ['fresh', 1, 0])
    assert.ok(status?.expiresAt && status.renewAt && status.renewAt < status.expiresAt)
  })
})

/** Under which name the lease of the connection `lab` is taken. */
async function leaseKeyOf(
  store: TokenStore,
  clock: ReturnType<typeof createFakeClock>,
): Promise<string> {
  let key = ''
  const watching: TokenStore = {
    ...store,
    acquire: async (lease) => {
      key = lease.key
      throw new Error('seen')
    },
  }
  await testBroker({ clock, store: watching }).broker.getToken('lab')
  return key
}
