import assert from 'node:assert/strict'
import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import { after, describe, test } from 'node:test'
import {
  createSealer,
  type MasterKey,
  MasterKeyError,
  openSealing,
  RekeyRefused,
  type Sealer,
  type SealingDeps,
  UnsealError,
} from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'

const newKey = (): MasterKey => ({ id: randomBytes(6).toString('base64url'), key: randomBytes(32) })
const hashOf = (text: string) => createHash('sha256').update(text).digest()

const BEAT_MS = 50

/** A database, and servers on it. */
async function open() {
  const storage = await testStorage(undefined, { poolSize: 20 })
  const { pool } = storage
  const opened: { close(): Promise<void> }[] = []
  after(async () => {
    for (const each of opened) await each.close()
    await storage.close()
  })

  async function server(keys: MasterKey[], more: Partial<SealingDeps> = {}) {
    const errors: string[] = []
    const events: string[] = []
    const sealing = await openSealing({
      pool,
      loadKeys: async () => [...keys],
      source: () => 'the master key file `/data/master.key`',
      name: 'one',
      beatMs: BEAT_MS,
      settleMs: BEAT_MS,
      onEvent: ({ kind }) => events.push(kind),
      onError: (error) => errors.push((error as Error).message),
      ...more,
    })
    opened.push(sealing)
    return { ...sealing, keys, errors, events }
  }

  /** A value in a table of the server. */
  async function write(sealer: Sealer, name: string) {
    const id = hashOf(name)
    const place = `refresh_answer:${id.toString('hex')}`
    await pool.query(
      `INSERT INTO refresh_answer (id, answer, expires_at) VALUES ($1, $2, now() + interval '1 day')`,
      [id, sealer.seal(`the value of ${name}`, place)],
    )
  }

  async function sealed(name: string): Promise<string> {
    const { rows } = await pool.query('SELECT answer FROM refresh_answer WHERE id = $1', [
      hashOf(name),
    ])
    return rows[0].answer
  }

  async function read(sealer: Sealer, name: string): Promise<string> {
    const place = `refresh_answer:${hashOf(name).toString('hex')}`
    return sealer.unseal(await sealed(name), place).toString()
  }

  return { pool, server, write, read, sealed }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail('did not come about')
}

describe('a change of the master key while servers run', () => {
  test('seals every value anew, and then the old key is needed no more', async () => {
    const { server, write, read, sealed } = await open()
    const [old, fresh] = [newKey(), newKey()]
    const one = await server([old])
    const two = await server([old], { name: 'two' })
    for (let i = 0; i < 450; i += 1) await write(one.sealer, `v${i}`)
    const derived = one.derive('audit chain')
    for (const each of [one, two]) each.keys.unshift(fresh)

    const begun = await one.rekey()
    assert.equal(begun.current, fresh.id)
    assert.deepEqual(begun.former, [old.id])
    await write(two.sealer, 'written meanwhile')
    assert.equal(await read(two.sealer, 'v3'), 'the value of v3')
    await until(async () => (await two.status()).state === 'done')
    assert.deepEqual((await two.status()).former, [])

    const [third] = [await server([fresh], { name: 'three' })]
    for (const name of ['v0', 'v449', 'written meanwhile']) {
      assert.equal(await read(third.sealer, name), `the value of ${name}`)
      assert.ok((await sealed(name)).startsWith(`v1.${fresh.id}.`))
    }
    assert.deepEqual(third.derive('audit chain'), derived)
    const events = [...one.events, ...two.events]
    assert.deepEqual(events.sort(), ['began', 'finished'])
  })

  test('waits until every server knows the new key, and names those that do not', async () => {
    const { server } = await open()
    const [old, fresh] = [newKey(), newKey()]
    const one = await server([fresh, old].slice(1), { name: 'one' })
    const two = await server([old], { name: 'two' })
    one.keys.unshift(fresh)
    await assert.rejects(one.rekey(), (error) => {
      assert.ok(error instanceof RekeyRefused)
      assert.match(error.message, /is not known to two yet/)
      return true
    })
    assert.equal((await one.status()).state, 'done')
    two.keys.unshift(fresh)
    assert.equal((await one.rekey()).current, fresh.id)
  })

  test('goes on where a server ended in the middle of it, on another one', async () => {
    const { server, write, read } = await open()
    const [old, fresh] = [newKey(), newKey()]
    const one = await server([old, fresh], { name: 'ends' })
    const two = await server([old, fresh], { name: 'two' })
    for (let i = 0; i < 450; i += 1) await write(one.sealer, `v${i}`)
    await one.rekey({ to: fresh.id })
    await one.close()
    await until(async () => (await two.status()).state === 'done')
    assert.equal(await read(createSealer([fresh]), 'v449'), 'the value of v449')
  })

  test('of eight servers that write and read all the time, none loses a value', async () => {
    const { server, write, read } = await open()
    const [old, fresh] = [newKey(), newKey()]
    const servers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        server([old, fresh], { name: `server ${at}`, settleMs: 2000 }),
      ),
    )
    let isOn = true
    const written: string[] = []
    const working = servers.map(async ({ sealer }, at) => {
      for (let i = 0; isOn || i < 5; i += 1) {
        const name = `server ${at}, value ${i}`
        await write(sealer, name)
        written.push(name)
        const any = written[Math.floor(written.length / 2)] ?? name
        assert.equal(await read(sealer, any), `the value of ${any}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })
    await servers[3]?.rekey({ to: fresh.id })
    await until(async () => (await servers[5]?.status())?.state === 'done')
    isOn = false
    await Promise.all(working)
    const alone = createSealer([fresh])
    for (const name of written) assert.equal(await read(alone, name), `the value of ${name}`)
    for (const { errors } of servers) assert.deepEqual(errors, [])
  })

  test('seals anew what is sealed inside of a value', async () => {
    const { pool, server } = await open()
    const one = await server([newKey()])
    const [id, place] = ['w_abcdefghijklmnopqrstuv', 'web_session:w_abcdefghijklmnopqrstuv']
    const hint = 'web-login:desk:upstream-logout-hint'
    const secrets = { accessToken: 'opaque', logoutHint: one.sealer.seal('the ID token', hint) }
    await pool.query(
      `INSERT INTO web_session (id, token_hash, api, issuer, client_id, subject, sealed,
                                started_ms, seen_ms, expires_ms, idle_ms)
       VALUES ($1, $2, 'desk', 'i', 'c', 's', $3, 0, 0, 0, 0)`,
      [id, hashOf(id), one.sealer.seal(JSON.stringify(secrets), place)],
    )
    const fresh = newKey()
    one.keys.unshift(fresh)
    await one.rekey()
    await until(async () => (await one.status()).state === 'done')
    const { rows } = await pool.query('SELECT sealed FROM web_session')
    const alone = createSealer([fresh])
    const opened = JSON.parse(alone.unseal(rows[0].sealed, place).toString())
    assert.equal(alone.unseal(opened.logoutHint, hint).toString(), 'the ID token')
    assert.equal(opened.accessToken, 'opaque')
  })

  test('makes a new key where the server keeps its keys itself', async () => {
    const { server } = await open()
    const keys = [newKey()]
    const one = await server(keys, { makeKey: async () => keys.unshift(newKey()) })
    const begun = await one.rekey()
    assert.equal(begun.current, keys[0]?.id)
    assert.equal(keys.length, 2)
  })

  test('is refused where the newest key is in force already, or is not there', async () => {
    const { server } = await open()
    const one = await server([newKey()])
    await assert.rejects(one.rekey(), /in force already: put a new one in front/)
    await assert.rejects(one.rekey({ to: 'nowhere0' }), /holds no master key `nowhere0`/)
  })

  test('keeps a value that no key opens, and does not end before it is told to', async () => {
    const { pool, server, write } = await open()
    const one = await server([newKey()])
    await write(one.sealer, 'swapped')
    await write(one.sealer, 'other')
    await pool.query(
      `UPDATE refresh_answer a SET answer = b.answer FROM refresh_answer b WHERE a.id <> b.id`,
    )
    one.keys.unshift(newKey())
    await one.rekey()
    await until(async () => (await one.status()).state === 'blocked')
    assert.equal((await one.status()).unreadable, 2)
    await one.rekey({ leaveUnreadable: true })
    await until(async () => (await one.status()).state === 'done')
  })

  test('an old key that is taken away too early is kept in memory, and told of', async () => {
    const { server, write, read } = await open()
    const [old, fresh] = [newKey(), newKey()]
    // A server that never turns to the new key keeps the change from ending.
    const slow = await server([fresh, old].reverse(), { name: 'slow', beatMs: 3_600_000 })
    const one = await server([fresh, old].reverse())
    await write(one.sealer, 'x')
    await one.rekey({ to: fresh.id })
    one.keys.splice(0, 2, fresh)
    await one.beat()
    assert.match(one.errors.join(), /not finished: .*holds `.*` only/)
    assert.equal(await read(slow.sealer, 'x'), 'the value of x')
    assert.equal((await one.status()).state, 'waiting')
    assert.deepEqual((await one.status()).waitingFor, ['slow'])
  })
})

describe('a start is refused', () => {
  test('without the key of the database, naming it and what to do', async () => {
    const { server } = await open()
    const key = newKey()
    await server([key])
    await assert.rejects(server([newKey()]), (error: Error) => {
      assert.ok(error instanceof MasterKeyError)
      assert.ok(error.message.includes(key.id))
      assert.match(error.message, /master key file.*restore that key from its backup/)
      return true
    })
  })

  test('with another key under the same id', async () => {
    const { server } = await open()
    const key = newKey()
    await server([key])
    await assert.rejects(
      server([{ id: key.id, key: randomBytes(32) }]),
      /is not the one that seals this database/,
    )
  })

  test('without the old key while a change is not finished', async () => {
    const { server } = await open()
    const [old, fresh] = [newKey(), newKey()]
    await server([old, fresh], { name: 'slow', beatMs: 3_600_000 })
    const one = await server([old, fresh])
    await one.rekey({ to: fresh.id })
    await assert.rejects(server([fresh]), /a change of the master key is not finished/)
  })
})

describe('a database from before keys were on record', () => {
  test('keeps what is derived, and seals the rest of it with the newest key', async () => {
    const { server, write, read } = await open()
    const [old, fresh] = [newKey(), newKey()]
    await write(createSealer([old]), 'x')
    const one = await server([fresh, old])
    assert.deepEqual(
      one.derive('audit chain'),
      new Uint8Array(hkdfSync('sha256', old.key, '', 'scopegate audit chain', 32)),
    )
    await until(async () => (await one.status()).state === 'done')
    assert.equal(await read(createSealer([fresh]), 'x'), 'the value of x')
  })

  test('is refused without a key that it is sealed with', async () => {
    const { server, write } = await open()
    const old = newKey()
    await write(createSealer([old]), 'x')
    await assert.rejects(server([newKey()]), new RegExp(old.id))
  })
})

test('two rows whose sealed values were swapped do not open', async () => {
  const { pool, server, write, read } = await open()
  const one = await server([newKey()])
  await write(one.sealer, 'a')
  await write(one.sealer, 'b')
  await pool.query(
    `UPDATE refresh_answer x SET answer = y.answer FROM refresh_answer y WHERE x.id <> y.id`,
  )
  for (const name of ['a', 'b']) await assert.rejects(read(one.sealer, name), UnsealError)
})
