import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteExpiredIdentity } from '@scopegate/identity'
import { testStorage } from '@scopegate/storage/testing'
import { ABSOLUTE_SECONDS, HOME, IDLE_SECONDS, identityOn } from './identity.fixture.ts'

const storage = await testStorage()
const clock = { ms: 1_800_000_000_000 }
const { users, sessions, add, signIn } = identityOn(storage, clock)
const user = await add({ username: 'anna' })
const start = (more: object = {}) => sessions.start({ userId: user.id, amr: ['pwd'], ...more })
const seenMs = async (id: string) => {
  const { rows } = await storage.pool.query('SELECT seen_ms FROM identity_session WHERE id = $1', [
    id,
  ])
  return rows[0]?.seen_ms
}

test('a session is found by its token, and by nothing that is stored', async () => {
  const { token, session } = await start({ address: HOME, userAgent: 'Firefox '.repeat(100) })
  assert.match(token, /^[\w-]{43}$/)
  assert.match(session.id, /^s_[\w-]{22}$/)
  assert.equal(session.authTime, clock.ms / 1000)
  assert.equal(session.expiresAt, clock.ms / 1000 + IDLE_SECONDS)
  assert.equal(session.device?.length, 256)
  assert.deepEqual(await sessions.find(token), session)
  assert.deepEqual(await sessions.findSignedIn(token), { session, user })
  const { rows } = await storage.pool.query(
    `SELECT id, encode(token_hash, 'base64') AS a, encode(token_hash, 'hex') AS b
       FROM identity_session WHERE id = $1`,
    [session.id],
  )
  for (const text of [...(Object.values(rows[0]) as string[]), '', 'x\u0000', 'x'.repeat(10_000)]) {
    assert.equal(await sessions.find(text), undefined)
    assert.equal(await sessions.findSignedIn(text), undefined)
  }
})

test('it ends when idle, and each use keeps it', async () => {
  const { token, session } = await start()
  for (let n = 0; n < 3; n++) {
    clock.ms += (IDLE_SECONDS - 1) * 1000
    assert.ok(await (n === 1 ? sessions.findSignedIn(token) : sessions.find(token)))
  }
  clock.ms += IDLE_SECONDS * 1000
  assert.equal(await sessions.isAlive(session.id), false)
  assert.equal(await sessions.find(token), undefined)
})

test('it ends at its absolute limit, however busy it was', async () => {
  const { token, session } = await start()
  const endsAt = clock.ms + ABSOLUTE_SECONDS * 1000
  let last = session
  while (clock.ms + IDLE_SECONDS * 500 < endsAt) {
    clock.ms += IDLE_SECONDS * 500
    const found = await sessions.find(token)
    assert.ok(found)
    last = found
  }
  assert.equal(last.expiresAt, endsAt / 1000)
  clock.ms = endsAt
  assert.equal(await sessions.find(token), undefined)
})

test('it is written at most once a minute', async () => {
  const { token, session } = await start()
  const startedMs = clock.ms
  clock.ms += 59_000
  await Promise.all([sessions.find(token), sessions.find(token)])
  assert.equal(await seenMs(session.id), startedMs)
  clock.ms += 1000
  await Promise.all([sessions.find(token), sessions.find(token)])
  assert.equal(await seenMs(session.id), startedMs + 60_000)
})

test('asking whether it lives does not keep it from going idle', async () => {
  const { token, session } = await start()
  clock.ms += (IDLE_SECONDS - 1) * 1000
  assert.equal(await sessions.isAlive(session.id), true)
  clock.ms += 1000
  assert.equal(await sessions.find(token), undefined)
})

test('a sign-in starts a new session and ends the one before: none can be fixed', async () => {
  const before = await start()
  const after = await start({ replaces: before.token })
  assert.notEqual(after.token, before.token)
  assert.notEqual(after.session.id, before.session.id)
  assert.equal(await sessions.find(before.token), undefined)
  assert.ok(await sessions.find(after.token))
  // A value that an attacker planted is nobody's session, before or after.
  const planted = 'A'.repeat(43)
  const fresh = await start({ replaces: planted })
  assert.notEqual(fresh.token, planted)
  assert.equal(await sessions.find(planted), undefined)
})

test('sessions end one by one, all of a user, and all but one', async () => {
  const other = await add({ username: 'berta' })
  const others = await sessions.start({ userId: other.id, amr: ['pwd'] })
  await sessions.endAllOf(user.id)
  const [a, b, c] = await Promise.all([start(), start(), start()])
  await sessions.end(a.session.id)
  assert.equal(await sessions.isAlive(a.session.id), false)
  assert.equal(await sessions.endAllOf(user.id, { except: b.session.id }), 1)
  assert.equal(await sessions.find(c.token), undefined)
  assert.ok(await sessions.find(b.token))
  assert.equal(await sessions.endAllOf(user.id), 1)
  assert.ok(await sessions.find(others.token))
})

test('a user sees where they are signed in, the latest used first', async () => {
  await sessions.endAllOf(user.id)
  const one = await start({ address: HOME, userAgent: 'Firefox' })
  clock.ms += 120_000
  const two = await start({ userAgent: 'Safari' })
  assert.deepEqual(await sessions.listOf(user.id), [two.session, one.session])
  clock.ms += 120_000
  await sessions.find(one.token)
  assert.deepEqual(
    (await sessions.listOf(user.id)).map(({ device }) => device),
    ['Firefox', 'Safari'],
  )
})

test('a user who is disabled, removed or loses second factors is signed out', async () => {
  const disabled = await add({ username: 'disabled' })
  const one = await sessions.start({ userId: disabled.id, amr: ['pwd'] })
  await users.disable(disabled.id)
  assert.equal(await sessions.isAlive(one.session.id), false)
  // One that was under way while the user was disabled lives no more than the others.
  const late = await sessions.start({ userId: disabled.id, amr: ['pwd'] })
  assert.equal(await sessions.findSignedIn(late.token), undefined)
  assert.equal(await sessions.find(late.token), undefined)
  await users.enable(disabled.id)
  assert.equal(await sessions.find(one.token), undefined, 'it does not come back')

  const two = await sessions.start({ userId: disabled.id, amr: ['pwd'] })
  await users.removeSecondFactors(disabled.id)
  assert.equal(await sessions.isAlive(two.session.id), false)

  const three = await sessions.start({ userId: disabled.id, amr: ['pwd'] })
  assert.deepEqual(await users.remove(disabled.id), { ok: true })
  assert.equal(await sessions.isAlive(three.session.id), false)
  assert.equal((await signIn('disabled')).kind, 'refused')
})

test('a logout elsewhere ends the sessions that began there, and keeps no token of it', async () => {
  const upstream = { issuer: 'https://idp.example', subject: 'sub-1', sid: 'sid-1' }
  const withMore = { ...upstream, idToken: 'eyJ-not-kept' }
  const one = await start({ upstream: withMore })
  const two = await start({ upstream: { ...upstream, sid: 'sid-2' } })
  const local = await start()
  assert.deepEqual(one.session.upstream, upstream)
  const idsOf = async (of: Parameters<typeof sessions.listUpstream>[0]) =>
    (await sessions.listUpstream(of)).map(({ id }) => id).sort()
  const { issuer } = upstream
  assert.deepEqual(await idsOf({ issuer }), [])
  assert.deepEqual(await idsOf({ issuer: 'https://other.example', sid: 'sid-1' }), [])
  assert.deepEqual(await idsOf({ issuer, sid: 'sid-1' }), [one.session.id])
  assert.deepEqual(await idsOf({ issuer, subject: 'sub-1', sid: 'sid-3' }), [])
  const both = [one.session.id, two.session.id].sort()
  assert.deepEqual(await idsOf({ issuer, subject: 'sub-1' }), both)
  assert.equal(await sessions.endUpstream({ issuer: 'https://idp.example' }), 0)
  assert.equal(await sessions.endUpstream({ issuer: 'https://other.example', sid: 'sid-1' }), 0)
  assert.equal(await sessions.endUpstream({ issuer: 'https://idp.example', sid: 'sid-1' }), 1)
  assert.equal(await sessions.isAlive(two.session.id), true)
  assert.equal(await sessions.endUpstream({ issuer: 'https://idp.example', subject: 'sub-1' }), 1)
  assert.equal(await sessions.isAlive(local.session.id), true)
})

test('what expired is deleted, and nothing else', async () => {
  await storage.pool.query('DELETE FROM identity_session')
  await signIn('anna', 'not the password at all', '198.51.100.9')
  await signIn('anna')
  const idle = await start()
  clock.ms += IDLE_SECONDS * 1000
  const alive = await start()
  await storage.pool.query(
    `INSERT INTO identity_session (id, token_hash, user_id, amr, started_ms, seen_ms, expires_ms)
     SELECT 's_' || lpad(n::text, 22, '0'), sha256(n::text::bytea), $1, '{pwd}', 0, 0, 1
       FROM generate_series(1, 12000) AS n`,
    [user.id],
  )
  const cleaned = { pool: storage.pool, idleSeconds: IDLE_SECONDS }
  const [one, two] = await Promise.all([
    deleteExpiredIdentity({ ...cleaned, nowMs: clock.ms }),
    deleteExpiredIdentity({ ...cleaned, nowMs: clock.ms }),
  ])
  assert.equal(one + two, 12_001, 'also by two processes at once')
  assert.equal(await seenMs(idle.session.id), undefined)
  assert.ok(await sessions.find(alive.token))
  const attempts = await storage.pool.query('SELECT FROM identity_attempt')
  assert.ok((attempts.rowCount ?? 0) > 0, 'an hour is not over')
  await deleteExpiredIdentity({ ...cleaned, nowMs: clock.ms + 91 * 86_400_000 })
  for (const table of ['identity_attempt', 'identity_known_address', 'identity_session']) {
    assert.equal((await storage.pool.query(`SELECT FROM ${table}`)).rowCount, 0, table)
  }
})
