import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createPasskeys, relyingPartyOf } from '@scopegate/identity'
import { testStorage } from '@scopegate/storage/testing'
import { HOME, identityOn } from './identity.fixture.ts'
import { softwarePasskey } from './software-passkey.fixture.ts'

const storage = await testStorage()
const clock = { ms: 1_800_000_000_000 }
const { users, add, signIn } = identityOn(storage, clock)
const site = relyingPartyOf('https://gate.example/', 'Gate')
assert.ok(site)
const passkeys = createPasskeys({
  pool: storage.pool,
  nowMs: () => clock.ms,
  addressKey: randomBytes(32),
  relyingParty: site,
})

async function registered(username: string) {
  const user = await add({ username })
  const device = softwarePasskey(site as NonNullable<typeof site>)
  const begun = await passkeys.beginRegistration(user.id)
  assert.ok(begun.ok)
  const made = await passkeys.finishRegistration({
    userId: user.id,
    name: 'Phone',
    response: device.register(begun.options),
  })
  assert.ok(made.ok, JSON.stringify(made))
  return { user, device, made }
}

test('browsers make passkeys for names, over TLS or on localhost, and nowhere else', () => {
  assert.deepEqual(site, { id: 'gate.example', name: 'Gate', origin: 'https://gate.example' })
  assert.equal(relyingPartyOf('http://localhost:8080', 'x')?.id, 'localhost')
  for (const url of [
    'http://127.0.0.1:8080',
    'https://[::1]:8443',
    'https://10.0.0.1',
    'http://gate.example',
  ]) {
    assert.equal(relyingPartyOf(url, 'x'), undefined, url)
  }
})

test('a passkey is the second factor after the password, and recovery codes come with it', async () => {
  const { user, device, made } = await registered('anna')
  assert.equal(made.passkey.name, 'Phone')
  assert.equal(made.recoveryCodes?.length, 10)
  const asked = await signIn('anna')
  assert.ok(asked.kind === 'second-factor')
  assert.deepEqual(asked.user.secondFactors, ['passkey'])
  const options = await passkeys.beginSignIn({ userId: user.id })
  assert.deepEqual(
    options.allowCredentials?.map(({ id }) => id),
    [device.id],
  )
  const done = await passkeys.finishSignIn({
    userId: user.id,
    response: device.signIn(options, { verified: false }),
    address: HOME,
  })
  assert.ok(done.kind === 'done')
  assert.deepEqual(done.amr, ['pwd', 'hwk', 'mfa'])
  assert.equal((await passkeys.listOf(user.id))[0]?.lastUsedAt, clock.ms / 1000)
})

test('a passkey alone signs in when the device knew its user, and not otherwise', async () => {
  const { user, device } = await registered('berta')
  const finish = async (verified: boolean) =>
    passkeys.finishSignIn({
      response: device.signIn(await passkeys.beginSignIn(), { verified }),
      address: HOME,
    })
  assert.deepEqual(await finish(false), { kind: 'refused' })
  const done = await finish(true)
  assert.ok(done.kind === 'done' && done.user.id === user.id)
  assert.deepEqual(done.amr, ['hwk', 'user', 'mfa'])
  await users.disable(user.id)
  assert.deepEqual(await finish(true), { kind: 'refused' })
})

test('an answer is taken once, also when it comes many times at once', async () => {
  const { device } = await registered('carla')
  const response = device.signIn(await passkeys.beginSignIn())
  const all = await Promise.all(
    Array.from({ length: 6 }, () => passkeys.finishSignIn({ response, address: HOME })),
  )
  assert.equal(all.filter(({ kind }) => kind === 'done').length, 1)
})

test('answers of another site, user, purpose, time or key are refused', async () => {
  const { user, device } = await registered('dora')
  const other = await registered('other')
  const address = HOME
  const foreign = device.signIn(await passkeys.beginSignIn(), { at: 'https://evil.example' })
  const wrongUser = device.signIn(await passkeys.beginSignIn({ userId: other.user.id }))
  const unbound = device.signIn(await passkeys.beginSignIn())
  const late = device.signIn(await passkeys.beginSignIn())
  const forged = {
    ...softwarePasskey(site).signIn(await passkeys.beginSignIn()),
    id: device.id,
    rawId: device.id,
  }
  const invented = device.signIn({ challenge: randomBytes(32).toString('base64url') })
  const attempts = [
    { response: foreign },
    { userId: other.user.id, response: wrongUser },
    { userId: user.id, response: unbound },
    { response: forged },
    { response: invented },
    { response: softwarePasskey(site).signIn(await passkeys.beginSignIn()) },
    ...[null, undefined, 'text', {}, { response: {} }, { response: { clientDataJSON: 'e30' } }].map(
      (response) => ({ response }),
    ),
  ]
  for (const attempt of attempts) {
    assert.deepEqual(await passkeys.finishSignIn({ ...attempt, address }), { kind: 'refused' })
  }
  clock.ms += 300_001
  assert.deepEqual(await passkeys.finishSignIn({ response: late, address }), { kind: 'refused' })
})

test('a counter that goes back is a copied key', async () => {
  const { device } = await registered('emma')
  const withCounter = async (counter: number) =>
    passkeys.finishSignIn({
      response: device.signIn(await passkeys.beginSignIn(), { counter }),
      address: HOME,
    })
  assert.equal((await withCounter(7)).kind, 'done')
  assert.equal((await withCounter(7)).kind, 'refused')
  assert.equal((await withCounter(3)).kind, 'refused')
  assert.equal((await withCounter(8)).kind, 'done')
})

test('a registration is bound to its user, made once, and its passkey is nobody else’s', async () => {
  const { user, device } = await registered('frida')
  const other = await add({ username: 'greta' })
  const begun = await passkeys.beginRegistration(user.id)
  assert.ok(begun.ok)
  assert.deepEqual(
    begun.options.excludeCredentials?.map(({ id }) => id),
    [device.id],
  )
  const response = softwarePasskey(site).register(begun.options)
  const stolen = await passkeys.finishRegistration({ userId: other.id, name: 'x', response })
  assert.ok(!stolen.ok && stolen.status === 400)
  assert.ok((await passkeys.finishRegistration({ userId: user.id, name: '', response })).ok)
  assert.ok(!(await passkeys.finishRegistration({ userId: user.id, name: '', response })).ok)
  const theirs = await passkeys.beginRegistration(other.id)
  assert.ok(theirs.ok)
  const taken = await passkeys.finishRegistration({
    userId: other.id,
    name: 'x',
    response: device.register(theirs.options),
  })
  assert.ok(!taken.ok && taken.status === 409)
  const elsewhere = await passkeys.beginRegistration(other.id)
  assert.ok(elsewhere.ok)
  const phished = await passkeys.finishRegistration({
    userId: other.id,
    name: 'x',
    response: softwarePasskey(site).register(elsewhere.options, 'https://evil.example'),
  })
  assert.ok(!phished.ok)
})

test('a removed passkey signs in no more, and the last one takes the recovery codes along', async () => {
  const { user, device, made } = await registered('hanna')
  const other = await add({ username: 'ida' })
  assert.equal(await passkeys.remove(other.id, device.id), false)
  assert.equal(await passkeys.remove(user.id, device.id), true)
  assert.deepEqual(await passkeys.listOf(user.id), [])
  const response = device.signIn(await passkeys.beginSignIn())
  assert.deepEqual(await passkeys.finishSignIn({ response, address: HOME }), { kind: 'refused' })
  const code = made.recoveryCodes?.[0] as string
  const recovered = await users.verifyRecoveryCode({ userId: user.id, code, address: HOME })
  assert.equal(recovered.kind, 'refused')
  assert.equal((await signIn('hanna')).kind, 'done')
})
