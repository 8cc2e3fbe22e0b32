import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { TokenUnavailable } from '@scopegate/oauth-model'
import { type BrokerLibraryOptions, openBrokerLibrary } from './support/open-broker-library.ts'

// Scenarios 1, 3, 5 to 8 and 12 of the token core: the library form, where hours pass at once.
async function open(t: TestContext, options?: BrokerLibraryOptions) {
  const opened = await openBrokerLibrary(options)
  t.after(() => opened.close())
  const { broker, time, settled } = opened
  const seconds = () => time.nowMs() / 1000
  return {
    ...opened,
    /** A caller, and then nothing is under way any more. */
    async call(wish = {}) {
      const token = await broker.getToken('lab', wish)
      assert.ok(token.expiresAt >= Math.floor(seconds()), 'never a token that ended')
      await settled()
      return token
    },
    async refusal(wish = {}): Promise<TokenUnavailable> {
      const error = await broker.getToken('lab', wish).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      assert.ok(error instanceof TokenUnavailable, String(error))
      return error
    },
    seconds,
  }
}

test('1: 50 callers at once, none before: one token request, the same token for all', async (t) => {
  const { broker, lab } = await open(t)
  lab.conditions.delayMs = 300
  const tokens = await Promise.all(Array.from({ length: 50 }, () => broker.getToken('lab')))
  assert.equal(new Set(tokens.map(({ accessToken }) => accessToken)).size, 1)
  assert.equal(lab.counts.requests, 1)
})

test('3: a lease that is shorter than a token request may take is refused at the start', async () => {
  await assert.rejects(openBrokerLibrary({ leaseMs: 3000 }), /lease must exceed the timeout/)
})

test('5: the provider is down for the last ten minutes: the token serves to its end, and not a second longer', async (t) => {
  const { call, refusal, lab, events, broker, pass } = await open(t, {
    lab: { accessTokenSeconds: 3600 },
  })
  const first = await call()
  await pass(2860)
  assert.deepEqual((await call()).warnings, first.warnings, 'not due yet')
  lab.conditions.outage = 'unavailable'
  for (let at = 2860; at < 3590; at += 10) {
    await pass(10)
    const token = await call()
    assert.equal(token.accessToken, first.accessToken)
    if (at >= 3000) assert.ok(token.warnings.includes('refresh_failed'), `at ${at} s`)
  }
  assert.ok(events.some(({ kind }) => kind === 'refresh_failed'))
  assert.ok(lab.counts.requests > 2 && lab.counts.requests < 60, `${lab.counts.requests} attempts`)
  await pass(15)
  const error = await refusal()
  assert.equal(error.failure.kind, 'temporary')
  assert.equal(error.failure.provider?.status, 503)
  assert.ok((await broker.statusOf('lab'))?.lastFailure)
})

describe('6: after a refusal', () => {
  test('the provider is asked again when it said, not before', async (t) => {
    const { refusal, broker, lab, seconds, pass } = await open(t)
    lab.say({ status: 503, headers: { 'retry-after': '7' } })
    const error = await refusal()
    assert.ok((error.nextAttemptAt ?? 0) >= seconds() + 6)
    for (let tenth = 0; tenth < 69; tenth++) {
      await pass(0.1)
      if (tenth % 10 === 0) await refusal()
    }
    assert.equal(lab.counts.requests, 1)
    await pass(0.2)
    await broker.getToken('lab')
    assert.equal(lab.counts.requests, 2)
  })

  test('a wrong secret is tried rarely, and at once when another is there', async (t) => {
    let secret = 'wrong'
    const { refusal, call, lab, pass } = await open(t, {
      lab: { clients: [{ clientId: 'lab', secret: 'right', redirectUris: [] }] },
      credentials: { secrets: () => [secret] },
    })
    for (let second = 0; second < 3600; second += 5) {
      await refusal()
      await pass(5)
    }
    // After 30 s, then slower, down to every ten minutes.
    assert.ok(lab.counts.requests >= 5 && lab.counts.requests <= 12, `${lab.counts.requests}`)
    const asked = lab.counts.requests
    assert.equal((await refusal()).failure.kind, 'configuration')
    assert.equal(lab.counts.requests, asked)
    secret = 'right'
    await pass(1.1)
    await call()
    assert.equal(lab.counts.requests, asked + 1)
  })
})

describe('7: lifetimes', () => {
  const cases: readonly {
    readonly says: unknown
    readonly life: number
    readonly warning?: string
  }[] = [
    { says: 30, life: 30 },
    { says: 570, life: 570 },
    { says: 3600, life: 3600 },
    { says: 86_400, life: 86_400 },
    { says: undefined, life: 300, warning: 'expires_in_missing' },
    { says: '3599', life: 3599, warning: 'expires_in_text' },
    { says: 0, life: 300, warning: 'expires_in_unusable' },
    { says: 315_360_000, life: 86_400, warning: 'lifetime_capped' },
  ]
  for (const { says, life, warning } of cases) {
    test(`\`expires_in\` ${JSON.stringify(says)} is ${life} s: renewed once per life, in its window`, async (t) => {
      const { call, lab, seconds, pass } = await open(t, {
        connections: [{ name: 'lab', defaultLifetimeSeconds: 300 }],
      })
      let issued = 0
      const fetchedAt: number[] = []
      const answer = () => {
        issued += 1
        lab.say({
          body: { access_token: `opaque-${issued}`, token_type: 'Bearer', expires_in: says },
        })
      }
      answer()
      // Often enough to meet the window.
      const steps = Math.max(60, life / 200)
      let seen = 0
      for (let step = 0; step < steps * 2.5; step++) {
        const token = await call()
        if (lab.counts.requests > seen) {
          seen = lab.counts.requests
          fetchedAt.push(seconds())
          answer()
          if (warning !== undefined && step === 0) {
            assert.ok(token.warnings.includes(warning), token.warnings.join())
          }
        }
        assert.ok(token.expiresAt - seconds() <= life + 1)
        await pass(life / steps)
      }
      const early = life < 60 ? life * 0.5 : Math.min(Math.max(life * 0.2, 30), 600)
      const gaps = fetchedAt.slice(1).map((at, index) => at - (fetchedAt[index] ?? 0))
      assert.ok(gaps.length >= 2, `${gaps.length} renewals`)
      for (const gap of gaps) {
        assert.ok(gap >= life - early * 1.1 - 1, `renewed ${life - gap} s before the end`)
        assert.ok(gap < life, 'before the end')
      }
    })
  }

  test('the `exp` of a JWT wins where it is earlier', async (t) => {
    const { call, lab, seconds } = await open(t, { lab: { accessTokenSeconds: 600 } })
    lab.answerFaults.add('expires_in_ten_years')
    const { expiresAt } = await call()
    assert.ok(Math.abs(expiresAt - seconds() - 600) <= 2, `${expiresAt - seconds()} s`)
  })

  test('a provider whose clock is an hour behind gives tokens that live as long', async (t) => {
    const { call, time, seconds, lab } = await open(t, { lab: { accessTokenSeconds: 600 } })
    time.setWallClock(3600)
    const { expiresAt } = await call()
    assert.ok(Math.abs(expiresAt - seconds() - 600) <= 2, `${expiresAt - seconds()} s`)
    assert.equal(lab.counts.requests, 1)
  })
})

describe('8: a caller who needs more life than is left', () => {
  const life = { lab: { accessTokenSeconds: 3600 } }

  test('gets a new token', async (t) => {
    const { call, lab, pass } = await open(t, life)
    const first = await call()
    await pass(3600 - 120)
    const next = await call({ minValidSeconds: 300 })
    assert.notEqual(next.accessToken, first.accessToken)
    assert.equal(lab.counts.requests, 2)
  })

  test('gets the shorter one with a mark if there is no other, and none where that is not enough', async (t) => {
    const { call, refusal, lab, pass } = await open(t, life)
    const first = await call()
    await pass(3600 - 120)
    lab.conditions.outage = 'unavailable'
    const shorter = await call({ minValidSeconds: 300 })
    assert.equal(shorter.accessToken, first.accessToken)
    assert.ok(shorter.warnings.includes('shortfall'), shorter.warnings.join())
    assert.equal((await refusal({ minValidSeconds: 300, strict: true })).failure.kind, 'temporary')
  })
})

describe('12:', () => {
  const day = 86_400
  const refreshing = (keepAliveHours: number, idleSeconds: number): BrokerLibraryOptions => ({
    lab: { refreshTokens: { rotate: true, idleSeconds }, accessTokenSeconds: 300 },
    connections: [{ name: 'lab', grant: 'refresh_token', keepAliveHours }],
  })

  test('a refresh token that nobody needs is used often enough to live', async (t) => {
    const { broker, call, lab, pass } = await open(t, refreshing(24, 3 * day))
    const refreshToken = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken })
    await call()
    for (let hour = 0; hour < 10 * 24; hour++) {
      await pass(3600)
    }
    assert.ok(lab.counts.requests >= 9 && lab.counts.requests <= 13, `${lab.counts.requests}`)
    assert.equal(lab.counts.refused, 0)
    await call()
  })

  test('without that it ends, and is not sent a second time', async (t) => {
    const { broker, call, refusal, lab, pass } = await open(t, refreshing(0, 3 * day))
    const refreshToken = lab.mintRefreshToken({ clientId: 'lab', scopes: ['a'] })
    await broker.storeGrant('lab', { refreshToken })
    await call()
    await pass(10 * day)
    assert.equal((await refusal()).failure.kind, 'sign-in')
    const { requests } = lab.counts
    await pass(day)
    await refusal()
    assert.equal(lab.counts.requests, requests)
    assert.equal((await broker.statusOf('lab'))?.state, 'signed-out')
  })

  test('a clock that is set back neither revives a token nor makes a storm', async (t) => {
    const { call, refusal, lab, time, pass } = await open(t, { lab: { accessTokenSeconds: 600 } })
    const first = await call()
    await pass(590)
    lab.conditions.outage = 'unavailable'
    await call()
    time.setWallClock(-3600)
    await pass(20)
    await refusal()
    lab.conditions.outage = undefined
    await pass(60)
    const asked = lab.counts.requests
    const next = await call()
    assert.notEqual(next.accessToken, first.accessToken)
    for (let call = 0; call < 50; call++) await pass(5)
    await call()
    assert.equal(lab.counts.requests, asked + 1)
  })
})
