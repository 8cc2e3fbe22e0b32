import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failed } from '@scopegate/checks'
import { createBasicAuthentication, type User, type Users } from '@scopegate/identity'
import { testStorage } from '@scopegate/storage/testing'
import { addTotp, HOME, identityOn, PASSWORD } from '../identity.fixture.ts'

const storage = await testStorage()
const clock = { ms: 1_800_000_000_000 }
const identity = identityOn(storage, clock)
const { users, hasher, add } = identity
const basic = createBasicAuthentication({ users, nowMs: () => clock.ms })
const of = (username: string, password = PASSWORD) =>
  Buffer.from(`${username}:${password}`).toString('base64')

describe('HTTP Basic', () => {
  test('the right password names the user, and is compared once in half a minute', async () => {
    const user = await add({ username: 'ann', fhirUser: 'Practitioner/1', roles: ['nurse'] })
    const expected = {
      ok: true,
      user: { id: user.id, username: 'ann', fhirUser: 'Practitioner/1', roles: ['nurse'] },
    }
    const before = hasher.compared
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => basic.authenticateBasic(of('ann'), HOME)),
    )
    for (const answer of answers) assert.deepEqual(answer, expected)
    clock.ms += 29_000
    assert.deepEqual(await basic.authenticateBasic(of('ann'), HOME), expected)
    assert.equal(hasher.compared, before + 1)
    clock.ms += 1_000
    assert.deepEqual(await basic.authenticateBasic(of('ann'), HOME), expected)
    assert.equal(hasher.compared, before + 2)
  })

  test('a changed password and a disabled user are noticed within that time', async () => {
    const user = await add({ username: 'leaver' })
    assert.equal((await basic.authenticateBasic(of('leaver'), HOME)).ok, true)
    await users.disable(user.id)
    clock.ms += 30_000
    const refused = { ok: false, check: failed('password_wrong') }
    assert.deepEqual(await basic.authenticateBasic(of('leaver'), HOME), refused)
  })

  test('a password that opens nothing by itself is told apart, after the right one only', async () => {
    const careful = await add({ username: 'careful' })
    await addTotp(identity, careful.id, clock.ms)
    const fresh = await users.add({ username: 'fresh' })
    assert.ok(fresh.ok)
    assert.deepEqual(await basic.authenticateBasic(of('fresh', fresh.oneTimePassword), HOME), {
      ok: false,
      check: failed('password_to_change'),
    })
    assert.deepEqual(await basic.authenticateBasic(of('careful'), HOME), {
      ok: false,
      check: failed('password_second_factor'),
    })
    const wrong = { ok: false, check: failed('password_wrong') }
    for (const username of ['careful', 'fresh', 'nobody']) {
      assert.deepEqual(await basic.authenticateBasic(of(username, 'no'), '192.0.2.99'), wrong)
    }
  })

  test('who guesses waits, and the waiting guess is compared with nothing', async () => {
    await add({ username: 'target' })
    const address = '203.0.113.5'
    for (let i = 0; i < 5; i += 1)
      await basic.authenticateBasic(of('target', `guess ${i}`), address)
    const before = hasher.compared
    const verdict = await basic.authenticateBasic(of('target', 'guess 6'), address)
    assert.equal(!verdict.ok && verdict.check.code, 'password_wait')
    assert.ok(!verdict.ok && verdict.retryAfterSeconds! > 0)
    assert.equal(hasher.compared, before)
  })

  test('what cannot be read is told so, and asks nobody', async () => {
    const asked: unknown[] = []
    const silent = createBasicAuthentication({
      users: {
        async authenticate(attempt) {
          asked.push(attempt)
          return { kind: 'refused' }
        },
      },
      nowMs: () => 0,
    })
    const unreadable = ['', '!', of('', 'x'), 'bm8tY29sb24=', btoa('a:b\u0000'), btoa('a:\xff')]
    for (const text of [...unreadable, 'A'.repeat(10_000)]) {
      const verdict = await silent.authenticateBasic(text, HOME)
      assert.deepEqual(verdict, { ok: false, check: failed('basic_malformed') }, text.slice(0, 20))
    }
    assert.equal(asked.length, 0)
    await silent.authenticateBasic(of('müller', 'a:b:ü'), HOME)
    assert.deepEqual(asked, [{ username: 'müller', password: 'a:b:ü', address: HOME }])
  })

  test('law: no more is remembered than allowed', async () => {
    let compared = 0
    const user = { id: 'u_1', username: 'a', roles: [] as string[] } as unknown as User
    const authenticate: Users['authenticate'] = async () => {
      compared += 1
      return { kind: 'done', user, amr: ['pwd'] }
    }
    const small = createBasicAuthentication({
      users: { authenticate },
      nowMs: () => 0,
      maxRemembered: 10,
    })
    for (let i = 0; i < 11; i += 1) await small.authenticateBasic(of(`user-${i}`), HOME)
    await small.authenticateBasic(of('user-10'), HOME)
    assert.equal(compared, 11)
    await small.authenticateBasic(of('user-0'), HOME)
    assert.equal(compared, 12)
  })
})
