import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readKeyMaterial } from '@scopegate/keys'
import {
  caller,
  clock,
  done,
  elsewhere,
  generated,
  holder,
  keys,
  signed,
  storage,
  template,
  verify,
} from './test-support/sign-keys-world.ts'

test('a rotation is seen by every server at once, and what was signed before still verifies', async () => {
  const name = await generated()
  const before = signed(await keys.sign(name, caller, { claims: {} }))
  clock.ms += 601_000
  const { kid, retired, next } = done(await keys.rotate(name))
  assert.equal(retired, before.record.kid)
  const after = signed(await elsewhere.sign(name, caller, { claims: {} }))
  assert.equal(after.record.kid, kid)
  await verify(name, after.jwt)
  clock.ms -= 601_000
  await verify(name, before.jwt)
  clock.ms += 601_000
  const view = await elsewhere.find(name)
  assert.deepEqual(
    view?.keys.map((key) => [key.kid, key.state]),
    [
      [kid, 'current'],
      [next, 'next'],
      [retired, 'retired'],
    ],
  )
})

test('a retired key loses its private part at once and its public one when nothing can need it', async () => {
  const name = await generated({ ...template, maxSeconds: 7200 })
  clock.ms += 601_000
  const { retired } = done(await keys.rotate(name))
  const { rows } = await storage.pool.query('SELECT sealed FROM sign_key WHERE kid = $1', [retired])
  assert.deepEqual(rows, [{ sealed: null }])
  const kids = async () => (await keys.jwks(name))?.keys.map(({ kid }) => kid)
  clock.ms += (86_400 + 7199) * 1000
  assert.ok((await kids())?.includes(retired))
  clock.ms += 2000
  assert.ok(!(await kids())?.includes(retired))
})

test('a next key that verifiers may not have seen does not sign, unless forced', async () => {
  const name = await generated()
  const early = await keys.rotate(name)
  assert.ok(!early.ok)
  assert.match(`${early.why} ${early.fix}`, /published 0 seconds ago.*wait 600 seconds.*--now/)
  done(await keys.rotate(name, { force: true }))
})

test('under rotations every token verifies with the key set that was there when it was signed', async () => {
  const name = await generated()
  let stop = false
  const signing = Array.from({ length: 4 }, async (_, index) => {
    const store = index % 2 === 0 ? keys : elsewhere
    let tokens = 0
    while (!stop) {
      const { jwt } = signed(await store.sign(name, caller, { claims: {} }))
      await verify(name, jwt)
      tokens++
    }
    return tokens
  })
  for (let round = 0; round < 8; round++) done(await keys.rotate(name, { force: true }))
  stop = true
  for (const tokens of await Promise.all(signing)) assert.ok(tokens > 0)
})

test('two servers that rotate at once make two rotations, not one and a half', async () => {
  const name = await generated()
  await Promise.all([keys.rotate(name, { force: true }), elsewhere.rotate(name, { force: true })])
  const states = (await keys.find(name))?.keys.map(({ state }) => state)
  assert.deepEqual(states, ['current', 'next', 'retired', 'retired'])
})

test('an imported key waits as the next one until it is rotated to', async () => {
  const make = (name: string) =>
    readKeyMaterial({
      text: String(
        generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
          format: 'pem',
          type: 'pkcs8',
        }),
      ),
      name,
    })
  const first = done(await keys.add({ name: 'partner', material: make('a.pem') }))
  const without = await keys.rotate('partner')
  assert.ok(!without.ok)
  assert.match(`${without.fix}`, /key import partner --next/)
  const { kid } = done(await keys.addNext('partner', make('b.pem')))
  assert.deepEqual(
    (await keys.jwks('partner'))?.keys.map((key) => key.kid),
    [first.kid, kid],
  )
  clock.ms += 601_000
  assert.equal(done(await keys.rotate('partner')).kid, kid)
})

test('a declared key is read-only, follows its declaration, and keeps the former one published', async () => {
  const make = () =>
    readKeyMaterial({
      text: String(
        generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
      ),
      name: 'declared',
    })
  const [first, second] = [make(), make()]
  const set = {
    name: 'declared',
    algorithms: ['EdDSA'],
    whenExpired: 'refuse',
    grants: [{ holder, ...template }],
  } as const
  await keys.declare([{ ...set, current: first, next: second }])
  const before = signed(await keys.sign('declared', caller, { claims: {} }))
  await Promise.all([
    keys.declare([{ ...set, current: second }]),
    elsewhere.declare([{ ...set, current: second }]),
  ])
  const after = signed(await elsewhere.sign('declared', caller, { claims: {} }))
  assert.notEqual(after.record.kid, before.record.kid)
  await verify('declared', before.jwt)
  const back = await keys.find('declared')
  assert.deepEqual(
    back?.keys.map(({ state }) => state),
    ['current', 'retired'],
  )
  for (const answer of [
    await keys.rotate('declared'),
    await keys.remove('declared'),
    await keys.grant('declared', holder, template),
  ]) {
    assert.ok(!answer.ok)
    assert.match(answer.why, /declared in the configuration/)
  }
  await keys.declare([{ ...set, current: first }])
  assert.equal((await keys.sign('declared', caller, { claims: {} })).ok, true)
  await keys.declare([])
  assert.equal(await keys.find('declared'), undefined)
  const name = await generated()
  await assert.rejects(keys.declare([{ ...set, name, current: first }]), /key remove/)
})
