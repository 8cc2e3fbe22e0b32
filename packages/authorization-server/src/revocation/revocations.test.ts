import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createRevocations, type RevocableToken } from './revocations.ts'

const ISSUER = 'https://as.example'
const storage = await testStorage()

/** Two processes on one database, each with its clock. */
function twoProcesses(more: { readonly staleMs?: number } = {}) {
  const clock = { ms: Date.now() }
  const make = (pool = storage.pool) =>
    createRevocations({
      pool,
      issuer: ISSUER,
      nowMs: () => clock.ms,
      maxTokenSeconds: 330,
      refreshMs: 2000,
      ...more,
    })
  return { clock, make, here: make(), there: make() }
}

let count = 0
function token(overrides: Partial<RevocableToken> = {}): RevocableToken {
  count += 1
  return {
    issuer: ISSUER,
    jti: `jti-${count}`,
    grantId: `grant-${count}`,
    clientId: `client-${count}`,
    subject: `u_${count}`,
    issuedAt: Math.floor(Date.now() / 1000) - 10,
    ...overrides,
  }
}

describe('revocations', () => {
  for (const kind of ['token', 'grant', 'client', 'user'] as const) {
    test(`of a ${kind} hold here at once, and in another process within the refresh`, async () => {
      const { clock, here, there } = twoProcesses()
      const revoked = token()
      const other = token()
      assert.equal(await here.isRevoked(revoked), false)
      assert.equal(await there.isRevoked(revoked), false)
      if (kind === 'token') await here.revokeToken(revoked.jti!, Date.now() / 1000 + 300)
      else if (kind === 'grant') await here.revokeGrant(revoked.grantId!)
      else if (kind === 'client') await here.revokeClient(revoked.clientId)
      else await here.revokeUser(revoked.subject)
      assert.equal(await here.isRevoked(revoked), true)
      clock.ms += 2000
      assert.equal(await there.isRevoked(revoked), true)
      assert.equal(await there.isRevoked(other), false)
    })
  }

  test('are known to a process that starts later', async () => {
    const { here, make } = twoProcesses()
    const revoked = token()
    await here.revokeGrant(revoked.grantId!)
    assert.equal(await make().isRevoked(revoked), true)
  })

  test('of a client or user end what was issued before, not what is issued after', async () => {
    const { here } = twoProcesses()
    const before = token()
    await here.revokeClient(before.clientId)
    await here.revokeUser(before.subject)
    const later = Math.floor(Date.now() / 1000) + 2
    assert.equal(await here.isRevoked(before), true)
    assert.equal(await here.isRevoked({ ...before, issuedAt: later }), false)
  })

  test('cost no query while the list is fresh, and are judged without a promise', async () => {
    const { clock, make } = twoProcesses()
    let queries = 0
    const counting = {
      query: (...args: [never]) => {
        queries += 1
        return storage.pool.query(...args)
      },
    }
    const list = make(counting as never)
    await list.isRevoked(token())
    for (let i = 0; i < 1000; i++) assert.equal(list.isRevoked(token()), false)
    assert.equal(queries, 1)
    clock.ms += 2000
    await Promise.all(Array.from({ length: 100 }, () => list.isRevoked(token())))
    assert.equal(queries, 2, 'a hundred callers share one query')
  })

  test('of another issuer are not looked for', () => {
    const { here } = twoProcesses()
    assert.equal(here.isRevoked(token({ issuer: 'https://other.example' })), false)
  })

  test('that cannot be read are borne for a while, then no token is accepted', async () => {
    const { clock, make } = twoProcesses({ staleMs: 30_000 })
    let down = false
    const flaky = {
      query: (...args: [never]) =>
        down ? Promise.reject(new Error('connect ECONNREFUSED')) : storage.pool.query(...args),
    }
    const list = make(flaky as never)
    assert.equal(await list.isRevoked(token()), false)
    down = true
    clock.ms += 29_000
    assert.equal(await list.isRevoked(token()), false)
    clock.ms += 1000
    await assert.rejects(async () => list.isRevoked(token()), /ECONNREFUSED/)
    down = false
    assert.equal(await list.isRevoked(token()), false)
  })

  test('twice are one row, and rows about expired tokens are forgotten', async () => {
    const { here } = twoProcesses()
    const [one, two] = [token(), token()]
    await here.revokeGrant(one.grantId!, one.grantId!, two.grantId!)
    await here.revokeGrant(one.grantId!)
    const count = async () =>
      (
        await storage.pool.query('SELECT 1 FROM revocation WHERE key = ANY($1)', [
          [one.grantId, two.grantId],
        ])
      ).rowCount
    assert.equal(await count(), 2)
    await storage.pool.query(
      `UPDATE revocation SET expires_at = now() - interval '1 s' WHERE key = $1`,
      [one.grantId],
    )
    assert.ok((await here.forgetExpired()) >= 1)
    assert.equal(await count(), 1)
  })
})
