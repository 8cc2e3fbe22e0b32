import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TokenUnavailable } from '@scopegate/oauth-model'
import { createMemoryTokenStore } from '@scopegate/token-broker'
import { createFakeClock } from '../test-support/fake-clock.ts'
import { failedOutcome, tokenOutcome } from '../test-support/scripted-requester.ts'
import { testBroker } from '../test-support/test-broker.ts'
import { testConnection } from '../test-support/test-connection.ts'

const WRONG_SECRET = failedOutcome({
  ...{ kind: 'configuration', code: 'client_secret_wrong', cause: 'the secret is wrong' },
  provider: { status: 401, error: 'invalid_client' },
})
const WRONG_SCOPE = failedOutcome({
  ...{ kind: 'administration', code: 'scope_not_allowed', cause: 'the scope is not allowed' },
  provider: { status: 400, error: 'invalid_scope' },
})

describe('a provider that is away', () => {
  test('is asked again with back-off while a caller waits, who then gets the token', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = (_, count) => (count < 3 ? failedOutcome() : tokenOutcome())
    const token = broker.getToken('lab')
    await clock.advance(5000)
    assert.equal((await token).accessToken, 'token')
    assert.equal(requester.requests.length, 3)
  })

  test('is known to be away after three failures: callers learn it at once, with the time of the next attempt', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = () => failedOutcome()
    const first = assert.rejects(broker.getToken('lab'), TokenUnavailable)
    await clock.advance(20_000)
    await first
    const before = requester.requests.length
    await assert.rejects(broker.getToken('lab'), (error) => {
      assert.ok(error instanceof TokenUnavailable)
      assert.equal(error.failure.code, 'provider_unavailable')
      return error.nextAttemptAt! >= Math.floor(clock.nowMs() / 1000)
    })
    assert.ok(requester.requests.length <= before + 1)
  })

  test('is not asked before the time it said', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = (_, count) =>
      count === 1 ? failedOutcome({ kind: 'rate', retryAfterSeconds: 7 }) : tokenOutcome()
    const token = broker.getToken('lab')
    await clock.advance(6990)
    assert.equal(requester.requests.length, 1)
    await clock.advance(1000)
    assert.equal((await token).accessToken, 'token')
    assert.equal(requester.requests.length, 2)
  })

  test('is asked by one of 8 processes, not by all', async () => {
    const clock = createFakeClock()
    const store = createMemoryTokenStore({ monotonicMs: clock.monotonicMs })
    const first = testBroker({ clock, store })
    first.requester.answer = () => failedOutcome()
    const all = [first, ...Array.from({ length: 7 }, () => testBroker({ ...first, clock, store }))]
    const calls = all.map(({ broker }) => broker.getToken('lab').catch(() => undefined))
    await clock.advance(30_000)
    await Promise.all(calls)
    // In 15 s of waiting: 0.25, 0.5, 1 s … apart.
    assert.ok(first.requester.requests.length <= 4, `${first.requester.requests.length}`)
    assert.equal(first.requester.inFlight.most, 1)
  })
})

describe('an outage that one process finds to be over', () => {
  test('is over for those who call another process meanwhile', async () => {
    const clock = createFakeClock()
    const one = testBroker({ clock })
    one.requester.answer = undefined
    const first = one.broker.getToken('lab')
    await clock.settle()
    one.requester.requests[0]?.respond(failedOutcome())
    await clock.advance(1000)
    assert.equal(one.requester.requests.length, 2)
    const other = testBroker({ clock, store: one.store })
    const second = other.broker.getToken('lab')
    await clock.advance(1000)
    one.requester.requests[1]?.respond(tokenOutcome({ accessToken: 'at last' }))
    await clock.advance(2000)
    const tokens = await Promise.all([first, second])
    assert.deepEqual(
      tokens.map(({ accessToken }) => accessToken),
      ['at last', 'at last'],
    )
    assert.equal(other.requester.requests.length, 0)
  })
})

describe('an outage that one caller finds to be over', () => {
  test('is over for those who wait for other tokens of the same client', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = undefined
    const first = broker.getToken('lab')
    await clock.settle()
    requester.requests[0]?.respond(failedOutcome())
    await clock.advance(1000)
    const other = broker.getToken('lab', { scopes: ['system/Patient.r'] })
    await clock.advance(1000)
    requester.answer = () => tokenOutcome({ accessToken: 'of the other' })
    requester.requests[1]?.respond(tokenOutcome({ accessToken: 'of the first' }))
    await clock.advance(3000)
    assert.equal((await first).accessToken, 'of the first')
    assert.equal((await other).accessToken, 'of the other')
  })

  test('is not waited for where the provider said how long it takes', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = () => failedOutcome({ kind: 'rate', retryAfterSeconds: 60 })
    await assert.rejects(broker.getToken('lab'), TokenUnavailable)
    await clock.advance(30_000)
    await assert.rejects(broker.getToken('lab'), TokenUnavailable)
    assert.equal(requester.requests.length, 1)
  })
})

describe('a wrong setting', () => {
  test('stops all attempts of the client but one after 30 s, then after 60 s', async () => {
    const { broker, requester, clock, eventsOf } = testBroker()
    requester.answer = () => WRONG_SECRET
    const count = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) {
        await clock.advance(500)
        await assert.rejects(broker.getToken('lab'), /the secret is wrong/)
      }
      return requester.requests.length
    }
    await assert.rejects(broker.getToken('lab', { scopes: ['system/Patient.r'] }))
    assert.equal(await count(29_000), 1)
    assert.equal(await count(2000), 2)
    assert.equal(await count(58_000), 2)
    assert.equal(await count(3000), 3)
    assert.deepEqual(
      eventsOf('circuit_opened').map(({ waitSeconds }) => waitSeconds),
      [30, 60, 120],
    )
    assert.equal((await broker.statusOf('lab'))?.state, 'open')
  })

  test('is forgotten as soon as the secret is another one', async () => {
    let version = 'v1'
    const { broker, requester, clock, eventsOf } = testBroker({
      connections: [testConnection({ credentialVersion: () => version })],
    })
    requester.answer = () => WRONG_SECRET
    await assert.rejects(broker.getToken('lab'))
    requester.answer = () => tokenOutcome()
    version = 'v2'
    await clock.advance(1000)
    assert.equal((await broker.getToken('lab')).accessToken, 'token')
    assert.equal(eventsOf('circuit_opened').length, 1)
  })

  test('is tried again at once when an operator wants it', async () => {
    const { broker, requester } = testBroker()
    requester.answer = () => WRONG_SECRET
    await assert.rejects(broker.getToken('lab'))
    requester.answer = () => tokenOutcome()
    await broker.retry('lab')
    assert.equal((await broker.getToken('lab')).accessToken, 'token')
  })

  test('of one scope leaves the tokens of the others alone', async () => {
    const { broker, requester } = testBroker()
    requester.answer = ({ target }) => (target.scopes.length === 1 ? WRONG_SCOPE : tokenOutcome())
    await assert.rejects(broker.getToken('lab', { scopes: ['system/Patient.r'] }), /not allowed/)
    assert.equal((await broker.getToken('lab')).accessToken, 'token')
    await assert.rejects(broker.getToken('lab', { scopes: ['system/Patient.r'] }))
    assert.equal(requester.requests.length, 2)
  })

  test('does not touch a token that lives', async () => {
    const { broker, requester, clock, eventsOf } = testBroker()
    await broker.getToken('lab')
    requester.answer = () => WRONG_SECRET
    await clock.advance(59.5 * 60_000)
    const token = await broker.getToken('lab')
    assert.deepEqual([token.accessToken, token.warnings], ['token-1', ['refresh_failed']])
    assert.ok(eventsOf('refresh_failed')[0]!.validSeconds > 0)
  })
})

describe('what a caller asks for', () => {
  test('more life than the token has left renews it first', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    await clock.advance(58 * 60_000)
    assert.equal((await broker.getToken('lab', { minValidSeconds: 300 })).accessToken, 'token-2')
    assert.equal(requester.requests.length, 2)
  })

  test('more life than can be had gives the shorter token and says so, or an error if strict', async () => {
    const { broker, requester, clock } = testBroker()
    await broker.getToken('lab')
    requester.answer = () => failedOutcome()
    await clock.advance(58 * 60_000)
    const token = await broker.getToken('lab', { minValidSeconds: 300 })
    assert.deepEqual(token.warnings, ['refresh_failed', 'shortfall'])
    await assert.rejects(broker.getToken('lab', { minValidSeconds: 300, strict: true }), {
      name: 'TokenUnavailable',
    })
  })

  test('more life than tokens of this provider ever have makes no request for each call', async () => {
    const { broker, requester } = testBroker()
    const wish = { minValidSeconds: 7200 }
    for (let call = 0; call < 5; call++) {
      assert.deepEqual((await broker.getToken('lab', wish)).warnings, ['shortfall'])
    }
    assert.equal(requester.requests.length, 1)
    await assert.rejects(broker.getToken('lab', { ...wish, strict: true }), /7200 s of life/)
  })

  test('the whole life of a token makes no request for each call, nor an error', async () => {
    const { broker, requester, clock } = testBroker()
    const wish = { minValidSeconds: 3600, strict: true }
    for (let call = 0; call < 10; call++) {
      assert.deepEqual((await broker.getToken('lab', wish)).warnings, [])
      await clock.advance(50)
    }
    assert.equal(requester.requests.length, 1)
    await clock.advance(30_000)
    assert.equal((await broker.getToken('lab', wish)).accessToken, 'token-2')
  })

  test('nearly the whole life again and again makes a request each half minute at most', async () => {
    const { broker, requester, clock } = testBroker()
    const wish = { minValidSeconds: 3600 }
    const seen = new Set<string>()
    for (let call = 0; call < 120; call++) {
      const { warnings } = await broker.getToken('lab', wish)
      for (const warning of warnings) seen.add(warning)
      await clock.advance(1000)
    }
    assert.deepEqual([...seen], ['shortfall'])
    assert.equal(requester.requests.length, 4)
  })

  test('what a new token has no more is refused if strict, until it may be renewed', async () => {
    const { broker, requester, clock } = testBroker()
    const wish = { minValidSeconds: 3590, strict: true }
    await broker.getToken('lab', wish)
    await clock.advance(20_000)
    await assert.rejects(broker.getToken('lab', wish), (error) => {
      assert.ok(error instanceof TokenUnavailable)
      const { code, kind, retryAfterSeconds } = error.failure
      assert.deepEqual([code, kind, retryAfterSeconds], ['token_life_too_short', 'temporary', 10])
      assert.equal(error.nextAttemptAt, Math.ceil((clock.nowMs() + 10_000) / 1000))
      return true
    })
    assert.equal(requester.requests.length, 1)
    await clock.advance(10_000)
    assert.equal((await broker.getToken('lab', wish)).accessToken, 'token-2')
  })

  test('what another process got just now is long enough to make no other request', async () => {
    const one = testBroker()
    const shared = { clock: one.clock, store: one.store, requester: one.requester }
    const others = [testBroker(shared), testBroker(shared)]
    await one.broker.getToken('lab')
    for (const { broker } of others) await broker.getToken('lab')
    assert.equal(one.requester.requests.length, 1)
    await one.clock.advance(60_000)
    const wish = { minValidSeconds: 3590 }
    assert.equal((await one.broker.getToken('lab', wish)).accessToken, 'token-2')
    await one.clock.advance(15_000)
    for (const { broker } of [...others, testBroker(shared)]) {
      const { accessToken, warnings } = await broker.getToken('lab', wish)
      assert.deepEqual([accessToken, warnings], ['token-2', ['shortfall']])
    }
    assert.equal(one.requester.requests.length, 2)
  })

  test('is no more than the connection is for', async () => {
    const { broker, requester } = testBroker()
    await assert.rejects(broker.getToken('lab', { scopes: ['system/*.cruds'] }), (error) => {
      assert.ok(error instanceof TokenUnavailable)
      assert.equal(error.failure.code, 'scope_not_configured')
      return true
    })
    await assert.rejects(broker.getToken('labb'), /no connection of that name/)
    assert.equal(requester.requests.length, 0)
  })

  test('given up by one ends nobody else’s request', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = undefined
    const gaveUp = new AbortController()
    const one = broker.getToken('lab', { signal: gaveUp.signal })
    const other = broker.getToken('lab')
    await clock.settle()
    gaveUp.abort(new Error('the browser went away'))
    await assert.rejects(one, /the browser went away/)
    assert.equal(requester.requests[0]!.signal.aborted, false)
    requester.requests[0]!.respond(tokenOutcome())
    await clock.settle()
    assert.equal((await other).accessToken, 'token')
    assert.equal(requester.requests.length, 1)
  })

  test('does not wait for ever: the request goes on for those who come later', async () => {
    const { broker, requester, clock } = testBroker()
    requester.answer = undefined
    const late = assert.rejects(broker.getToken('lab'), TokenUnavailable)
    await clock.advance(60_000)
    await late
    assert.equal(requester.requests[0]!.signal.aborted, true)
  })
})

describe('a token that a resource refuses', () => {
  test('is renewed once, however many say so', async () => {
    const { broker, requester } = testBroker()
    const token = await broker.getToken('lab')
    await Promise.all(Array.from({ length: 20 }, () => broker.reject('lab', token)))
    const next = await Promise.all(Array.from({ length: 20 }, () => broker.getToken('lab')))
    assert.deepEqual(new Set(next.map(({ accessToken }) => accessToken)), new Set(['token-2']))
    await broker.reject('lab', token)
    assert.equal((await broker.getToken('lab')).accessToken, 'token-2')
    assert.equal(requester.requests.length, 2)
  })

  test('is not handed out by another process either, once that asks the store', async () => {
    const clock = createFakeClock()
    const one = testBroker({ clock })
    const token = await one.broker.getToken('lab')
    await one.broker.reject('lab', token)
    const other = testBroker({ clock, store: one.store, requester: one.requester })
    assert.equal((await other.broker.getToken('lab')).accessToken, 'token-2')
  })

  test('again and again makes no storm', async () => {
    const { broker, requester } = testBroker()
    for (let call = 0; call < 50; call++) await broker.reject('lab', await broker.getToken('lab'))
    assert.ok(requester.requests.length <= 6, `${requester.requests.length} requests`)
  })
})
