import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { LoginRefused, type ProviderTokens } from '@scopegate/oidc-login'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { createSessionRefresh, refreshTimeOf } from './refresh-session.ts'
import { createWebSessionStore, deleteExpiredWebSessions } from './web-session-store.ts'

// Two processes of one installation, with one database and a provider that rotates refresh tokens.
const { pool } = await testStorage()
const sealer = createSealer([{ id: 'testtest', key: randomBytes(32) }])
const clock = { nowMs: 1_800_000_000_000 }
const nowMs = () => clock.nowMs

interface Provider {
  calls: number
  /** How it answers; by default with new tokens for the newest refresh token. */
  answer: (refreshToken: string) => Promise<ProviderTokens>
}

function open() {
  const ended: string[] = []
  const errors: unknown[] = []
  let newest = 'refresh-0'
  const provider: Provider = {
    calls: 0,
    async answer(refreshToken) {
      await new Promise((resolve) => setTimeout(resolve, 60))
      if (refreshToken !== newest) throw new LoginRefused('upstream_code_refused')
      newest = `refresh-${provider.calls}`
      const expiresAt = Math.floor(clock.nowMs / 1000) + 300
      return { accessToken: `access-${provider.calls}`, refreshToken: newest, expiresAt }
    },
  }
  const process = () => {
    const store = createWebSessionStore({
      ...{ pool, sealer, nowMs },
      api: 'desk',
      onEnded: (id) => ended.push(id),
    })
    const refresh = createSessionRefresh({
      ...{ store, nowMs },
      onError: (error) => errors.push(error),
      refresh({ refreshToken }) {
        provider.calls += 1
        return provider.answer(refreshToken)
      },
    })
    return { store, refresh }
  }
  return { provider, ended, errors, one: process(), two: process() }
}

async function started({ one }: ReturnType<typeof open>) {
  const { token, id } = await one.store.start({
    issuer: 'https://idp.example',
    clientId: 'scopegate',
    subject: 'nora',
    sid: 'sid-1',
    secrets: {
      claims: { sub: 'nora', name: 'Nora' },
      scope: 'openid',
      accessToken: 'access-0',
      refreshToken: 'refresh-0',
      accessTokenExpiresMs: clock.nowMs - 1,
    },
    refreshMs: clock.nowMs - 1,
    expiresMs: clock.nowMs + 3_600_000,
    idleMs: 600_000,
    replaces: undefined,
  })
  const session = await one.store.find(token)
  assert.ok(session)
  return { token, id, session }
}

describe('a refresh', () => {
  test('happens once, however many ask in however many processes, and all get its tokens', async () => {
    const world = open()
    const { token, session } = await started(world)
    const asked = Array.from({ length: 20 }, (_, n) =>
      (n % 2 === 0 ? world.one : world.two).refresh(session),
    )
    assert.deepEqual([...new Set(await Promise.all(asked))], ['done'])
    assert.equal(world.provider.calls, 1)
    const now = await world.two.store.find(token)
    assert.equal(now?.secrets.accessToken, 'access-1')
    assert.equal(now?.secrets.refreshToken, 'refresh-1')
    assert.deepEqual(now?.secrets.claims, { sub: 'nora', name: 'Nora' }, 'what did not come stays')
    assert.equal(now?.id, session.id)
    assert.equal(now?.refreshMs, clock.nowMs + 240_000)
    // Whoever still holds what it was before does not use it.
    assert.equal(await world.two.refresh(session), 'done')
    assert.equal(world.provider.calls, 1)
  })

  test('that is refused ends the session, for everybody who waits', async () => {
    const world = open()
    const { token, id, session } = await started(world)
    world.provider.answer = async () => {
      throw new LoginRefused('upstream_code_refused')
    }
    const verdicts = await Promise.all([world.one.refresh(session), world.two.refresh(session)])
    assert.deepEqual(verdicts, ['ended', 'ended'])
    assert.equal(world.provider.calls, 1)
    assert.deepEqual(world.ended, [id])
    assert.equal(await world.two.store.find(token), undefined)
  })

  test('that cannot be had now is tried later, not by everybody', async () => {
    const world = open()
    const { token, session } = await started(world)
    const { answer } = world.provider
    world.provider.answer = async () => {
      throw new LoginRefused('provider_unavailable')
    }
    assert.equal(await world.one.refresh(session), 'later')
    assert.equal(await world.two.refresh(session), 'later')
    assert.equal(world.provider.calls, 1, 'the pause is for all processes')
    assert.ok(await world.one.store.find(token), 'the session stays')
    clock.nowMs += 5000
    world.provider.answer = answer
    assert.equal(await world.two.refresh(session), 'done')
  })

  test('that a process died in is done by the next, when its turn is over', async () => {
    const world = open()
    const { session } = await started(world)
    assert.ok(await world.one.store.claimRefresh(session.id, session.generation, 30_000))
    assert.equal(await world.two.store.claimRefresh(session.id, session.generation, 30_000), false)
    clock.nowMs += 30_001
    assert.equal(await world.two.refresh(session), 'done')
  })

  test('that comes back after a logout starts nothing anew', async () => {
    const world = open()
    const { token, session } = await started(world)
    const refreshing = world.one.refresh(session)
    await world.two.store.end(session.id)
    assert.equal(await refreshing, 'ended')
    assert.equal(await world.one.store.find(token), undefined)
  })
})

describe('the time to refresh', () => {
  const secrets = { claims: {}, scope: '', accessToken: 'a', refreshToken: 'r' }
  test('is a fifth of the life before its end, at most a minute; a whole number', () => {
    for (const [life, ahead] of [
      [300, 60_000],
      [3600, 60_000],
      [60, 12_000],
      [7, 1400],
      [0, 0],
    ] as const) {
      const expiresAt = clock.nowMs / 1000 + life
      const at = refreshTimeOf({ accessToken: 'a', expiresAt }, secrets, clock.nowMs)
      assert.equal(at, expiresAt * 1000 - ahead)
    }
    const odd = refreshTimeOf(
      { accessToken: 'a', expiresAt: 1_800_000_007 },
      secrets,
      1_800_000_000_003,
    )
    assert.ok(Number.isInteger(odd))
  })
  test('is never, without a refresh token or an end', () => {
    const { refreshToken: _, ...without } = secrets
    assert.equal(refreshTimeOf({ accessToken: 'a', expiresAt: 1 }, without, 0), undefined)
    assert.equal(refreshTimeOf({ accessToken: 'a' }, secrets, 0), undefined)
  })
})

test('sessions that have ended by themselves are removed, others are not', async () => {
  const world = open()
  const { token } = await started(world)
  await deleteExpiredWebSessions(pool, clock.nowMs)
  assert.ok(await world.one.store.find(token))
  assert.ok((await deleteExpiredWebSessions(pool, clock.nowMs + 600_001)) >= 1)
  assert.equal(await world.one.store.find(token), undefined)
})

test('a logout token ends what it names, and none without a name', async () => {
  const world = open()
  const { token } = await started(world)
  const issuer = 'https://idp.example'
  const clientId = 'scopegate'
  const { endAtProvider } = world.one.store
  assert.equal(await endAtProvider({ issuer, clientId }), 0)
  assert.equal(await endAtProvider({ issuer, clientId, subject: 'paul', sid: 'sid-1' }), 0)
  assert.equal(await endAtProvider({ issuer, clientId: 'another', subject: 'nora' }), 0)
  assert.equal(await endAtProvider({ issuer: 'https://x.example', clientId, subject: 'nora' }), 0)
  assert.ok(await world.one.store.find(token))
  assert.ok((await endAtProvider({ issuer, clientId, subject: 'nora', sid: 'sid-1' })) >= 1)
  assert.equal(await world.one.store.find(token), undefined)
})
