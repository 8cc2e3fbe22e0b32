import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswordHasher, OWASP_PARAMETERS } from '@scopegate/identity'
import { FAST, PASSWORD } from './identity.fixture.ts'

test('a hash names its parameters, has a salt of its own, and holds no password', async () => {
  const hasher = createPasswordHasher({ parameters: FAST })
  const [one, two] = await Promise.all([hasher.hash(PASSWORD), hasher.hash(PASSWORD)])
  assert.match(one, /^\$argon2id\$v=19\$m=32,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one, two)
  assert.deepEqual(await hasher.verify(PASSWORD, one), { ok: true, outdated: false })
  assert.deepEqual(await hasher.verify(`${PASSWORD} `, one), { ok: false, outdated: false })
})

test('without parameters it takes those of OWASP, and says what is outdated', async () => {
  const former = await createPasswordHasher({ parameters: FAST }).hash(PASSWORD)
  const hasher = createPasswordHasher()
  assert.deepEqual(OWASP_PARAMETERS, { memoryKib: 19_456, passes: 2, parallelism: 1 })
  assert.match(await hasher.hash(PASSWORD), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.deepEqual(await hasher.verify(PASSWORD, former), { ok: true, outdated: true })
})

/** @see the reference implementation, argon2 20190702, test.c */
test('a hash of the reference implementation is understood', async () => {
  const hasher = createPasswordHasher({ parameters: FAST })
  const phc = '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'
  assert.deepEqual(await hasher.verify('password', phc), { ok: true, outdated: true })
  assert.deepEqual(await hasher.verify('Password', phc), { ok: false, outdated: true })
})

test('what is stored and is no Argon2id hash is a fault, not a wrong password', async () => {
  const hasher = createPasswordHasher({ parameters: FAST })
  for (const stored of [
    '',
    PASSWORD,
    '$2b$10$abcdefghijklmnopqrstuv',
    '$argon2i$v=19$m=32,t=1,p=1$AAAA$AAAA',
  ]) {
    await assert.rejects(hasher.verify(PASSWORD, stored), /no Argon2id hash/)
  }
})

test('so many run at once, so many wait, and the rest is told to come back', async () => {
  const hasher = createPasswordHasher({ parameters: FAST, concurrency: 2, maxWaiting: 3 })
  const all = await Promise.all(Array.from({ length: 9 }, () => hasher.hash(PASSWORD)))
  assert.equal(all.filter((hash) => hash === 'busy').length, 4)
  assert.ok(
    all.slice(0, 5).every((hash) => hash !== 'busy'),
    'in the order they came',
  )
  assert.notEqual(await hasher.hash(PASSWORD), 'busy', 'and there is room again')
})

test('a fault in one leaves its place to the next', async () => {
  const hasher = createPasswordHasher({ parameters: FAST, concurrency: 1, maxWaiting: 9 })
  const all = await Promise.allSettled([
    hasher.verify(PASSWORD, 'broken'),
    hasher.verify(PASSWORD, 'broken'),
    hasher.hash(PASSWORD),
  ])
  assert.deepEqual(
    all.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  )
  assert.notEqual(await hasher.hash(PASSWORD), 'busy')
})
