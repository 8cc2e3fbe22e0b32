import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenFailure } from '@scopegate/oauth-model'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import {
  createMemoryTokenStore,
  createPostgresTokenStore,
  type SavedToken,
  type ShutGate,
  type TokenRecord,
  type TokenStore,
} from '@scopegate/token-broker'

const storage = testStorage()
const sealer = createSealer([{ id: 'k1', key: Buffer.alloc(32, 7) }])

const STORES: Readonly<Record<string, () => Promise<TokenStore>>> = {
  memory: async () => createMemoryTokenStore(),
  PostgreSQL: async () => createPostgresTokenStore({ pool: (await storage).pool, sealer }),
}

const RECORD: TokenRecord = {
  ...{ accessToken: 'an-access-token', type: 'Bearer', scopes: ['a', 'b'] },
  ...{ warnings: ['odd'], lifeMs: 3_600_000, fetchedAt: 1_767_225_600 },
}
const FAILURE: TokenFailure = {
  ...{ kind: 'configuration', code: 'client_secret_wrong', wasSent: true },
  ...{ cause: 'the secret is wrong', fix: 'set the right one' },
}
const SHUT: ShutGate = {
  ...{ failures: 2, isOpen: true, waitMs: 60_000, failure: FAILURE },
  ...{ credential: 'v1', at: 1_767_225_600 },
}
let used = 0

for (const [name, open] of Object.entries(STORES)) {
  describe(`a token store in ${name}`, () => {
    function newKey(): string {
      used += 1
      return `key-${used}`
    }

    async function held(store: TokenStore, key: string, durationMs = 60_000): Promise<number> {
      const answer = await store.acquire({ key, durationMs })
      assert.equal(answer.kind, 'held')
      return answer.fence
    }

    function saved(key: string, fence: number, more: Partial<SavedToken> = {}): SavedToken {
      return {
        ...{ lease: { key, fence }, connection: 'lab', tokenKey: key },
        ...{ record: RECORD, leftMs: 3_600_000, ...more },
      }
    }

    test('gives a lease to one of many, and the next a higher number', async () => {
      const store = await open()
      const key = newKey()
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => store.acquire({ key, durationMs: 60_000 })),
      )
      const winners = answers.filter(({ kind }) => kind === 'held')
      assert.equal(winners.length, 1)
      const first = winners[0]!.fence
      for (const answer of answers) assert.equal(answer.fence, first)
      await store.release({ key, fence: first })
      assert.ok((await held(store, key)) > first)
    })

    test('gives a lease that has run out to another, and the first cannot release that', async () => {
      const store = await open()
      const key = newKey()
      const first = await held(store, key, 20)
      await sleep(60)
      const second = await held(store, key)
      await store.release({ key, fence: first })
      const third = await store.acquire({ key, durationMs: 60_000 })
      assert.deepEqual([third.kind, third.fence], ['busy', second])
    })

    test('takes a lease over from somebody who was watched for long enough', async () => {
      const store = await open()
      const key = newKey()
      const first = await held(store, key)
      const other = await store.acquire({ key, durationMs: 60_000, stuckFence: first - 1 })
      assert.equal(other.kind, 'busy')
      const next = await store.acquire({ key, durationMs: 60_000, stuckFence: first })
      assert.equal(next.kind, 'held')
    })

    test('keeps a token as it was, with the life it has left', async () => {
      const store = await open()
      const key = newKey()
      assert.equal((await store.look(key, [])).token, undefined)
      const fence = await held(store, key)
      assert.deepEqual(await store.saveToken(saved(key, fence)), { token: true, grant: false })
      const { token } = await store.look(key, [])
      assert.deepEqual(token?.record, RECORD)
      assert.equal(token?.fence, fence)
      assert.ok(token.leftMs > 3_000_000 && token.leftMs <= 3_600_000)
      // The lease is free again.
      assert.ok((await held(store, key)) > fence)
    })

    test('ignores the token of somebody who has lost the lease', async () => {
      const store = await open()
      const key = newKey()
      const late = await held(store, key, 20)
      await sleep(60)
      const fence = await held(store, key)
      const record = { ...RECORD, accessToken: 'late' }
      assert.deepEqual(await store.saveToken(saved(key, late, { record })), {
        token: false,
        grant: false,
      })
      await store.saveToken(saved(key, fence))
      await store.saveToken(saved(key, late, { record }))
      assert.equal((await store.look(key, [])).token?.record.accessToken, 'an-access-token')
    })

    test('gives no token that has expired', async () => {
      const store = await open()
      const key = newKey()
      await store.saveToken(saved(key, await held(store, key), { leftMs: 20 }))
      await sleep(60)
      assert.equal((await store.look(key, [])).token, undefined)
      await store.prune()
    })

    test('discards the token that was refused, not a newer one', async () => {
      const store = await open()
      const key = newKey()
      const first = await held(store, key)
      await store.saveToken(saved(key, first))
      const second = await held(store, key)
      await store.saveToken(saved(key, second))
      await store.discardToken(key, first)
      assert.equal((await store.look(key, [])).token?.fence, second)
      await store.discardToken(key, second)
      assert.equal((await store.look(key, [])).token, undefined)
    })

    test('remembers what failed, and lets one of many try again when it is time', async () => {
      const store = await open()
      const [client, target] = [newKey(), newKey()]
      await store.shutGate(client, 'lab', SHUT)
      await store.shutGate(target, 'lab', { ...SHUT, waitMs: 0, isOpen: false })
      const { gates } = await store.look(target, [client, target])
      const { waitMs, ...rest } = gates.get(client)!
      const { waitMs: _, ...expected } = SHUT
      assert.deepEqual(rest, expected)
      assert.ok(waitMs > 50_000 && waitMs <= 60_000)
      assert.ok(gates.get(target)!.waitMs <= 0)
      assert.equal(await store.passGates([client, target], 60_000), false)
      assert.equal(await store.passGates([newKey()], 60_000), true)
      const tries = await Promise.all(
        Array.from({ length: 8 }, () => store.passGates([target], 60_000)),
      )
      assert.equal(tries.filter(Boolean).length, 1)
    })

    test('opens gates by their keys or for a connection', async () => {
      const store = await open()
      const [a, b, c] = [newKey(), newKey(), newKey()]
      await store.shutGate(a, 'one', SHUT)
      await store.shutGate(b, 'two', SHUT)
      await store.shutGate(c, 'three', SHUT)
      await store.openGates({ keys: [a], connection: 'two' })
      assert.deepEqual([...(await store.look(a, [a, b, c])).gates.keys()], [c])
    })

    test('keeps a refresh token, replaces it with the access token, and counts', async () => {
      const store = await open()
      const key = newKey()
      assert.equal(await store.readGrant(key), undefined)
      await store.writeGrant(key, `of-${key}`, { refreshToken: 'first', signedInAs: 'ada' })
      const fence = await held(store, key)
      assert.equal(await store.markGrant(key, 1, fence), true)
      assert.equal((await store.readGrant(key))?.usedFence, fence)
      const grant = { key, record: { refreshToken: 'second', rotates: true } }
      assert.deepEqual(await store.saveToken(saved(key, fence, { grant })), {
        token: true,
        grant: true,
      })
      const { idleMs, ...kept } = (await store.readGrant(key))!
      assert.deepEqual(kept, { key, record: grant.record, generation: 2 })
      assert.ok(idleMs >= 0 && idleMs < 60_000)
    })

    test('keeps the refresh token of a late answer, if nobody has used the old one since', async () => {
      const store = await open()
      const key = newKey()
      await store.writeGrant(key, 'lab', { refreshToken: 'first' })
      const late = await held(store, key, 20)
      await store.markGrant(key, 1, late)
      await sleep(60)
      await held(store, key)
      await store.signOutGrant(key, 1, FAILURE)
      assert.deepEqual((await store.readGrant(key))?.signedOut, FAILURE)
      const grant = { key, record: { refreshToken: 'second' } }
      const answer = await store.saveToken(saved(key, late, { grant }))
      assert.deepEqual(answer, { token: false, grant: true })
      const stored = await store.readGrant(key)
      assert.deepEqual([stored?.record.refreshToken, stored?.signedOut], ['second', undefined])
    })

    test('does not let a late answer replace a newer sign-in', async () => {
      const store = await open()
      const key = newKey()
      await store.writeGrant(key, 'lab', { refreshToken: 'first' })
      const fence = await held(store, key)
      await store.markGrant(key, 1, fence)
      await store.writeGrant(key, 'lab', { refreshToken: 'signed in anew' })
      await store.signOutGrant(key, 1, FAILURE)
      const grant = { key, record: { refreshToken: 'second' } }
      assert.equal((await store.saveToken(saved(key, fence, { grant }))).grant, false)
      const stored = await store.readGrant(key)
      assert.deepEqual(
        [stored?.record.refreshToken, stored?.signedOut],
        ['signed in anew', undefined],
      )
      assert.equal(await store.markGrant(key, 1, fence), false)
    })

    test('forgets the tokens of a sign-in when another comes', async () => {
      const store = await open()
      const [key, tokenKey] = [newKey(), newKey()]
      await store.writeGrant(key, 'lab', { refreshToken: 'first' })
      const fence = await held(store, key)
      await store.markGrant(key, 1, fence)
      const grant = { key, record: { refreshToken: 'second' } }
      await store.saveToken(saved(key, fence, { tokenKey, grant }))
      await store.writeGrant(key, 'lab', { refreshToken: 'of somebody else' })
      assert.equal((await store.look(tokenKey, [])).token, undefined)
    })

    test('revives what was signed out when an operator wants it', async () => {
      const store = await open()
      const key = newKey()
      await store.writeGrant(key, `of-${key}`, { refreshToken: 'first' })
      const fence = await held(store, key)
      await store.markGrant(key, 1, fence)
      await store.signOutGrant(key, 1, FAILURE)
      assert.equal(await store.markGrant(key, 1, fence), false)
      await store.reviveGrants(`of-${key}`)
      const stored = await store.readGrant(key)
      assert.deepEqual([stored?.usedFence, stored?.signedOut], [undefined, undefined])
      assert.equal(await store.markGrant(key, 1, fence), true)
      await store.unmarkGrant(key, fence)
      assert.equal((await store.readGrant(key))?.usedFence, undefined)
    })
  })
}

describe('the tables of PostgreSQL', () => {
  test('hold no token that can be read, and none that works in the place of another', async () => {
    const { pool } = await storage
    const store = createPostgresTokenStore({ pool, sealer })
    const lease = async (key: string) => (await store.acquire({ key, durationMs: 60_000 })).fence
    await store.writeGrant('sealed-a', 'lab', { refreshToken: 'the-refresh-token-a' })
    const accessToken = 'the-access-token-b'
    for (const key of ['sealed-b', 'sealed-c']) {
      await store.saveToken({
        ...{ lease: { key, fence: await lease(key) }, connection: 'lab', tokenKey: key },
        ...{ record: { ...RECORD, accessToken: `${accessToken}-${key}` }, leftMs: 3_600_000 },
      })
    }
    const { rows } = await pool.query(
      `SELECT t::text FROM broker_token t UNION ALL SELECT g::text FROM broker_grant g`,
    )
    for (const { t } of rows) {
      assert.ok(!t.includes('the-refresh-token-a') && !t.includes(accessToken), t)
    }
    await pool.query(
      `UPDATE broker_token SET sealed = (SELECT sealed FROM broker_token WHERE key = 'sealed-b')
        WHERE key = 'sealed-c'`,
    )
    assert.equal((await store.look('sealed-c', [])).token, undefined)
    assert.ok((await store.look('sealed-b', [])).token)
  })

  test('hold no word of the provider that ended a sign-in, and still say why', async () => {
    const { pool } = await storage
    const store = createPostgresTokenStore({ pool, sealer })
    const said: TokenFailure = {
      ...{ kind: 'sign-in', code: 'entra_grant_expired', wasSent: true },
      cause: 'the sign-in of ada.lovelace@hospital.example has ended',
      fix: 'let ada.lovelace@hospital.example sign in again',
      provider: {
        status: 400,
        error: 'invalid_grant',
        description: 'of ada.lovelace@hospital.example',
      },
    }
    await store.writeGrant('sealed-d', 'lab', { refreshToken: 'the-refresh-token-d' })
    await store.signOutGrant('sealed-d', 1, said)
    const { rows } = await pool.query<{ t: string; code: string }>(
      `SELECT g::text AS t, signed_out->>'code' AS code FROM broker_grant g WHERE key = 'sealed-d'`,
    )
    assert.ok(!rows[0]?.t.includes('ada.lovelace@hospital.example'), rows[0]?.t)
    assert.equal(rows[0]?.code, 'entra_grant_expired')
    const { record, signedOut } = (await store.readGrant('sealed-d'))!
    assert.deepEqual(signedOut, said)
    assert.deepEqual(record, { refreshToken: 'the-refresh-token-d' })
    // As it was written before.
    const former = { ...said, cause: 'as it was said' }
    await store.writeGrant('sealed-d', 'lab', record)
    await pool.query(`UPDATE broker_grant SET signed_out = $1 WHERE key = 'sealed-d'`, [
      JSON.stringify(former),
    ])
    assert.deepEqual((await store.readGrant('sealed-d'))?.signedOut, former)
  })
})
