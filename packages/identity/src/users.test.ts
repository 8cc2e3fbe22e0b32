import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createPasswordHasher, createUsers } from '@scopegate/identity'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'

const FAST = { memoryKib: 64, passes: 1, parallelism: 1 }
const PASSWORD = 'lamp gravel otter seven'
const ADDRESS = '192.0.2.7'

const storage = await testStorage()
const nowMs = 1_800_000_000_000

const users = createUsers({
  pool: storage.pool,
  sealer: createSealer([{ id: 'test-key', key: randomBytes(32) }]),
  nowMs: () => nowMs,
  addressKey: randomBytes(32),
  hasher: createPasswordHasher({ parameters: FAST }),
})

async function add(username: string, more: object = {}) {
  const added = await users.add({ username, password: PASSWORD, ...more })
  assert.ok(added.ok, JSON.stringify(added))
  return added.user
}

describe('signing in', () => {
  test('the right password signs in, the wrong one does not', async () => {
    const user = await add('anna', {
      name: 'Anna Example',
      fhirUser: 'Practitioner/1',
      roles: ['admin'],
    })
    const done = await users.authenticate({
      username: 'Anna',
      password: PASSWORD,
      address: ADDRESS,
    })
    assert.deepEqual(done, { kind: 'done', user, amr: ['pwd'] })
    assert.match(user.id, /^u_[\w-]{22}$/)
    const refused = await users.authenticate({
      username: 'anna',
      password: `${PASSWORD}!`,
      address: ADDRESS,
    })
    assert.deepEqual(refused, { kind: 'refused' })
  })
})
