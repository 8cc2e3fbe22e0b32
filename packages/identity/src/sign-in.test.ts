import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createPasswordHasher } from '@scopegate/identity'
import { testStorage } from '@scopegate/storage/testing'
import pg from 'pg'
import { addTotp, countingHasher, HOME, identityOn, PASSWORD } from './identity.fixture.ts'

const storage = await testStorage()
const clock = { ms: 1_800_000_000_000 }
const identity = identityOn(storage, clock)
const { users, sessions, hasher, signIn, add } = identity

/** Addresses of attackers, each once. */
let next = 0
const elsewhere = () => `198.51.${Math.floor(++next / 250)}.${next % 250}`

const WRONG = 'not the password at all'
const MINUTE_MS = 60_000

describe('signing in', () => {
  test('the right password signs in, in any case and width of the name', async () => {
    const user = await add({ username: 'anna', name: 'Anna Example', roles: ['admin'] })
    assert.match(user.id, /^u_[\w-]{22}$/)
    for (const name of ['anna', 'ANNA', 'ａｎｎａ', ' anna ']) {
      assert.deepEqual(await signIn(name), { kind: 'done', user, amr: ['pwd'] })
    }
  })

  test('a password is the same however its letters are composed', async () => {
    await add({ username: 'soren', password: 'bl\u00e5b\u00e6r gr\u00f8d og fl\u00f8de' })
    const signedIn = await signIn('soren', 'bla\u030ab\u00e6r gr\u00f8d og fl\u00f8de')
    assert.equal(signedIn.kind, 'done')
  })

  test('whoever is refused gets one answer, and the same work is done', async () => {
    await add({ username: 'known' })
    await add({ username: 'disabled', disabled: true })
    await add({ username: 'elsewhere-only', password: null })
    const attempts: [string, string][] = [
      ['known', WRONG],
      ['nobody', WRONG],
      ['nobody', PASSWORD],
      ['disabled', PASSWORD],
      ['disabled', WRONG],
      ['elsewhere-only', PASSWORD],
      ['', WRONG],
      ['no such\u0000name', WRONG],
      ['x'.repeat(100_000), WRONG],
      ['known', 'x'.repeat(100_000)],
      ['known', ''],
    ]
    for (const [username, password] of attempts) {
      const before = hasher.compared
      assert.deepEqual(await signIn(username, password, elsewhere()), { kind: 'refused' })
      assert.equal(hasher.compared, before + 1, `${username.slice(0, 20)} is compared once`)
    }
  })

  test('without a hash the hasher compares with one of the same cost, and says no', async () => {
    const real = createPasswordHasher({ parameters: { memoryKib: 32, passes: 1, parallelism: 1 } })
    assert.deepEqual(await real.verify(PASSWORD, undefined), { ok: false, outdated: false })
  })

  test('who is disabled, or gets another password, while theirs is compared is refused', async () => {
    const user = await add({ username: 'meanwhile' })
    const during = (work: () => Promise<unknown>) =>
      identityOn(storage, clock, {
        hasher: {
          hash: (password) => hasher.hash(password),
          async verify(password, phc) {
            const verdict = await hasher.verify(password, phc)
            await work()
            return verdict
          },
        },
      })
    const disabling = during(() => users.disable(user.id))
    assert.deepEqual(await disabling.signIn('meanwhile'), { kind: 'refused' })
    await users.enable(user.id)
    const resetting = during(() => users.setPassword(user.id))
    assert.deepEqual(await resetting.signIn('meanwhile'), { kind: 'refused' })
  })

  test('a hash of other parameters is renewed by the next sign-in', async () => {
    const user = await add({ username: 'renewed' })
    const stored = async () => {
      const { rows } = await storage.pool.query(
        'SELECT sealed_password FROM identity_user WHERE id = $1',
        [user.id],
      )
      return rows[0].sealed_password
    }
    const former = await stored()
    await signIn('renewed')
    assert.equal(await stored(), former, 'the same parameters change nothing')
    const dearer = countingHasher({ memoryKib: 64, passes: 2, parallelism: 1 })
    const later = identityOn(storage, clock, { hasher: dearer })
    assert.equal((await later.signIn('renewed')).kind, 'done')
    assert.equal(dearer.hashed, 1)
    assert.notEqual(await stored(), former)
    assert.equal((await later.signIn('renewed')).kind, 'done')
    assert.equal(dearer.hashed, 1, 'once')
  })
})

describe('guessing', () => {
  test('five guesses are free, then each waits twice as long, and an hour forgets', async () => {
    await add({ username: 'guessed' })
    const address = elsewhere()
    for (let n = 0; n < 5; n++) {
      assert.equal((await signIn('guessed', WRONG, address)).kind, 'refused')
    }
    for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
      const waits = await signIn('guessed', PASSWORD, address)
      assert.deepEqual(waits, { kind: 'wait', retryAfterSeconds: seconds })
      clock.ms += seconds * 1000
      assert.equal((await signIn('guessed', WRONG, address)).kind, 'refused')
    }
    clock.ms += 61 * MINUTE_MS
    for (let n = 0; n < 4; n++) await signIn('guessed', WRONG, address)
    assert.equal((await signIn('guessed', PASSWORD, address)).kind, 'done')
  })

  test('an attempt that waits is not judged, nor makes the wait longer', async () => {
    await add({ username: 'patient-zero' })
    const address = elsewhere()
    for (let n = 0; n < 5; n++) await signIn('patient-zero', WRONG, address)
    const before = hasher.compared
    for (let n = 0; n < 20; n++) await signIn('patient-zero', PASSWORD, address)
    assert.equal(hasher.compared, before)
    clock.ms += 30_000
    assert.equal((await signIn('patient-zero', PASSWORD, address)).kind, 'done')
  })

  test('guesses at once are no more than those one after the other', async () => {
    await add({ username: 'parallel' })
    const address = elsewhere()
    const before = hasher.compared
    const all = await Promise.all(
      Array.from({ length: 60 }, () => signIn('parallel', WRONG, address)),
    )
    assert.equal(hasher.compared - before, 5)
    assert.equal(all.filter(({ kind }) => kind === 'refused').length, 5)
    assert.equal(all.filter(({ kind }) => kind === 'wait').length, 55)
  })

  test('what one process counted holds in another', async () => {
    const pool = new pg.Pool({ ...storage.connection, types: NUMBERS })
    try {
      const elseIdentity = identityOn({ pool }, clock)
      await add({ username: 'two-processes' })
      const address = elsewhere()
      const all = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          (n % 2 === 0 ? identity : elseIdentity).signIn('two-processes', WRONG, address),
        ),
      )
      assert.equal(all.filter(({ kind }) => kind === 'refused').length, 5)
      assert.equal((await elseIdentity.signIn('two-processes', PASSWORD, address)).kind, 'wait')
      assert.equal((await signIn('two-processes', PASSWORD, address)).kind, 'wait')
    } finally {
      await pool.end()
    }
  })

  test('a name that nobody has waits like one that somebody has', async () => {
    const address = elsewhere()
    for (let n = 0; n < 5; n++) await signIn('nobody-at-all', WRONG, address)
    assert.deepEqual(await signIn('nobody-at-all', WRONG, address), {
      kind: 'wait',
      retryAfterSeconds: 30,
    })
  })

  test('guessing from many addresses slows the account down, but not where its user is known', async () => {
    await add({ username: 'targeted' })
    assert.equal((await signIn('targeted')).kind, 'done')
    for (let n = 0; n < 25; n++) await signIn('targeted', WRONG, elsewhere())
    assert.equal((await signIn('targeted', WRONG, elsewhere())).kind, 'wait')
    assert.equal((await signIn('targeted', PASSWORD, elsewhere())).kind, 'wait')
    assert.equal((await signIn('targeted', PASSWORD, HOME)).kind, 'done', 'no denial of service')
  })

  test('trying many names from one address slows the address down, but not those known there', async () => {
    await add({ username: 'colleague' })
    await add({ username: 'newcomer' })
    const address = elsewhere()
    assert.equal((await signIn('colleague', PASSWORD, address)).kind, 'done')
    for (let n = 0; n < 50; n++) await signIn(`sprayed-${n}`, WRONG, address)
    assert.equal((await signIn('sprayed-50', WRONG, address)).kind, 'wait')
    assert.equal((await signIn('newcomer', PASSWORD, address)).kind, 'wait')
    assert.equal((await signIn('colleague', PASSWORD, address)).kind, 'done')
  })

  test('an address where many sit is slowed down for what failed in an hour, not in a day', async () => {
    await add({ username: 'latecomer' })
    const address = elsewhere()
    for (let hour = 0; hour < 8; hour++) {
      for (let n = 0; n < 40; n++) {
        const { kind } = await signIn(`typo-${hour}-${n}`, WRONG, address)
        assert.equal(kind, 'refused')
        clock.ms += MINUTE_MS * 1.5
      }
    }
    assert.equal((await signIn('latecomer', PASSWORD, address)).kind, 'done')
  })

  test("an attacker's own account does not free the address", async () => {
    await add({ username: 'mallory' })
    const network = '2001:db8:5:1'
    let refused = 0
    for (let n = 0; n < 80; n++) {
      // The own account from ever new addresses of a /64, which all count as one.
      await signIn('mallory', PASSWORD, `${network}::${n.toString(16)}`)
      const { kind } = await signIn(`victim-${n}`, WRONG, `${network}:a::${n.toString(16)}`)
      if (kind === 'refused') refused++
    }
    assert.equal(refused, 50)
  })

  test('when too many sign in at once nothing is counted against anybody', async () => {
    await add({ username: 'crowd' })
    const busy = identityOn(storage, clock, {
      hasher: { verify: async () => 'busy', hash: async () => 'busy' },
    })
    for (let n = 0; n < 10; n++) {
      assert.deepEqual(await busy.signIn('crowd', PASSWORD, HOME), {
        kind: 'wait',
        retryAfterSeconds: 2,
      })
    }
    assert.equal((await signIn('crowd')).kind, 'done')
  })
})

describe('second factors', () => {
  test('a code follows the password, and is taken once', async () => {
    const user = await add({ username: 'otto' })
    const { codeAt } = await addTotp(identity, user.id, clock.ms)
    const asked = await signIn('otto')
    assert.ok(asked.kind === 'second-factor')
    assert.deepEqual(asked.user.secondFactors, ['totp'])
    const attempt = (code: string) => users.verifyTotp({ userId: user.id, code, address: HOME })
    assert.equal((await attempt(codeAt(clock.ms))).kind, 'refused', 'it confirmed the app')
    clock.ms += 30_000
    const code = codeAt(clock.ms)
    const done = await attempt(`${code.slice(0, 3)} ${code.slice(3)}`)
    assert.ok(done.kind === 'done')
    assert.deepEqual(done.amr, ['pwd', 'otp', 'mfa'])
    assert.equal((await attempt(code)).kind, 'refused')
    clock.ms += 60_000
    assert.equal((await attempt(codeAt(clock.ms))).kind, 'done')
    assert.equal((await attempt(codeAt(clock.ms - 30_000))).kind, 'refused', 'none before it')
  })

  test('a code used many times at once is taken exactly once', async () => {
    const user = await add({ username: 'parallel-otto' })
    const { codeAt } = await addTotp(identity, user.id, clock.ms)
    clock.ms += 30_000
    const all = await Promise.all(
      Array.from({ length: 5 }, () =>
        users.verifyTotp({ userId: user.id, code: codeAt(clock.ms), address: HOME }),
      ),
    )
    assert.equal(all.filter(({ kind }) => kind === 'done').length, 1)
  })

  test('a code of another time, another user or another shape is refused', async () => {
    const user = await add({ username: 'strict-otto' })
    const other = await add({ username: 'other-otto' })
    const { codeAt } = await addTotp(identity, user.id, clock.ms)
    await addTotp(identity, other.id, clock.ms)
    clock.ms += 5 * MINUTE_MS
    for (const code of [
      codeAt(clock.ms - 90_000),
      codeAt(clock.ms + 90_000),
      '',
      '12345',
      'abcdef',
      '1234567',
    ]) {
      const { kind } = await users.verifyTotp({ userId: user.id, code, address: elsewhere() })
      assert.equal(kind, 'refused', code)
    }
    const foreign = { userId: other.id, code: codeAt(clock.ms), address: HOME }
    assert.equal((await users.verifyTotp(foreign)).kind, 'refused')
    const nobody = { userId: 'u_AAAAAAAAAAAAAAAAAAAAAA', code: '123456', address: HOME }
    assert.deepEqual(await users.verifyTotp(nobody), { kind: 'refused' })
  })

  test('guessed codes wait, and a right password in between frees none', async () => {
    const user = await add({ username: 'code-guessed' })
    await addTotp(identity, user.id, clock.ms)
    const address = elsewhere()
    let judged = 0
    for (let n = 0; n < 12; n++) {
      assert.equal((await signIn('code-guessed', PASSWORD, address)).kind, 'second-factor')
      const { kind } = await users.verifyTotp({ userId: user.id, code: '000000', address })
      if (kind === 'refused') judged++
    }
    assert.equal(judged, 5)
    // And from everywhere: the password alone makes no address known.
    for (let n = 0; n < 20; n++) {
      await users.verifyTotp({ userId: user.id, code: '000000', address: elsewhere() })
    }
    const last = await users.verifyTotp({ userId: user.id, code: '000000', address: elsewhere() })
    assert.equal(last.kind, 'wait')
  })

  test('each recovery code works once, also when used at once', async () => {
    const user = await add({ username: 'recovered' })
    const { recoveryCodes } = await addTotp(identity, user.id, clock.ms)
    assert.equal(new Set(recoveryCodes).size, 10)
    const [first = '', second = ''] = recoveryCodes
    const all = await Promise.all(
      Array.from({ length: 5 }, () =>
        users.verifyRecoveryCode({ userId: user.id, code: first, address: HOME }),
      ),
    )
    assert.equal(all.filter(({ kind }) => kind === 'done').length, 1)
    const typed = second.toUpperCase().replaceAll('-', ' ')
    const done = await users.verifyRecoveryCode({ userId: user.id, code: typed, address: HOME })
    assert.equal(done.kind, 'done')
    const renewed = await users.renewRecoveryCodes(user.id)
    assert.ok(renewed.ok)
    const former = { userId: user.id, code: recoveryCodes[2] as string, address: HOME }
    assert.equal((await users.verifyRecoveryCode(former)).kind, 'refused')
  })

  test('setting up anew leaves the former app in force until a code of the new one came', async () => {
    const user = await add({ username: 'new-phone' })
    const former = await addTotp(identity, user.id, clock.ms)
    await users.beginTotp(user.id)
    assert.equal((await users.confirmTotp(user.id, '000000')).ok, false)
    clock.ms += 30_000
    const attempt = { userId: user.id, code: former.codeAt(clock.ms), address: HOME }
    assert.equal((await users.verifyTotp(attempt)).kind, 'done')
    clock.ms += 30_000
    const fresh = await addTotp(identity, user.id, clock.ms)
    clock.ms += 30_000
    const old = { userId: user.id, code: former.codeAt(clock.ms), address: HOME }
    assert.equal((await users.verifyTotp(old)).kind, 'refused')
    const current = { userId: user.id, code: fresh.codeAt(clock.ms), address: HOME }
    assert.equal((await users.verifyTotp(current)).kind, 'done')
  })

  test('a set-up that was begun asks for nothing yet; the label says where and who', async () => {
    const user = await add({ username: 'beginner' })
    const begun = await users.beginTotp(user.id)
    assert.ok(begun.ok)
    assert.match(begun.uri, /^otpauth:\/\/totp\/Scopegate:beginner\?issuer=Scopegate&secret=/)
    assert.equal((await signIn('beginner')).kind, 'done')
  })
})

describe('passwords', () => {
  test('a one-time password signs in to nothing but choosing another', async () => {
    const added = await users.add({ username: 'fresh' })
    assert.ok(added.ok && added.oneTimePassword)
    assert.match(added.oneTimePassword, /^(?:[a-z2-9]{5}-){3}[a-z2-9]{5}$/)
    const asked = await signIn('fresh', added.oneTimePassword)
    assert.equal(asked.kind, 'password-change')
    const choose = (password: string) =>
      users.chooseFirstPassword({ userId: added.user.id, password })
    const unfit = await choose('fresh2026fresh')
    assert.ok(unfit.kind === 'unfit')
    assert.equal(unfit.reason, 'guessable')
    assert.match(unfit.why, /your name/)
    const same = await choose(added.oneTimePassword)
    assert.ok(same.kind === 'unfit')
    assert.equal(same.reason, 'same')
    assert.match(same.why, /the one you have/)
    const done = await choose(PASSWORD)
    assert.ok(done.kind === 'done')
    assert.equal(done.user.mustChangePassword, false)
    assert.equal((await choose('another gravel lamp')).kind, 'refused', 'only once')
    assert.equal((await signIn('fresh')).kind, 'done')
    assert.equal((await signIn('fresh', added.oneTimePassword)).kind, 'refused')
  })

  test('a one-time password that nobody used is over after a week', async () => {
    const added = await users.add({ username: 'late' })
    assert.ok(added.ok && added.oneTimePassword)
    const password = added.oneTimePassword
    clock.ms += 7 * 86_400_000
    assert.equal((await signIn('late', password)).kind, 'password-change')
    clock.ms += 1
    assert.deepEqual(await signIn('late', password), { kind: 'refused' })
    const again = await users.setPassword(added.user.id)
    assert.ok(again.ok && again.oneTimePassword)
    assert.equal((await signIn('late', again.oneTimePassword)).kind, 'password-change')
  })

  test('of two first passwords chosen at once one is kept', async () => {
    const added = await users.add({ username: 'twice' })
    assert.ok(added.ok)
    const choices = ['orchid bucket meridian', 'velvet anchor tundra']
    const all = await Promise.all(
      choices.map((password) => users.chooseFirstPassword({ userId: added.user.id, password })),
    )
    assert.deepEqual(all.map(({ kind }) => kind).sort(), ['done', 'refused'])
    const winner = choices[all.findIndex(({ kind }) => kind === 'done')] as string
    assert.equal((await signIn('twice', winner)).kind, 'done')
  })

  test('changing the password takes the former one, and ends every session', async () => {
    const user = await add({ username: 'changer' })
    const { session } = await sessions.start({ userId: user.id, amr: ['pwd'] })
    const change = (former: string, password: string) =>
      users.changePassword({ userId: user.id, former, password, address: HOME })
    assert.equal((await change(WRONG, 'orchid bucket meridian')).kind, 'refused')
    assert.equal((await change(PASSWORD, 'short')).kind, 'unfit')
    assert.equal(await sessions.isAlive(session.id), true)
    assert.equal((await change(PASSWORD, 'orchid bucket meridian')).kind, 'done')
    assert.equal(await sessions.isAlive(session.id), false)
    assert.equal((await signIn('changer', 'orchid bucket meridian')).kind, 'done')
    for (let n = 0; n < 5; n++) await change(WRONG, 'velvet anchor tundra')
    assert.equal((await change('orchid bucket meridian', 'velvet anchor tundra')).kind, 'wait')
  })

  test('an operator sets a password; rules hold there too', async () => {
    const user = await add({ username: 'helped' })
    const { session } = await sessions.start({ userId: user.id, amr: ['pwd'] })
    const weak = await users.setPassword(user.id, { password: 'password1234' })
    assert.ok(!weak.ok)
    assert.match(weak.why, /common word/)
    assert.equal(await sessions.isAlive(session.id), true)
    const made = await users.setPassword(user.id)
    assert.ok(made.ok && made.oneTimePassword)
    assert.equal(await sessions.isAlive(session.id), false)
    assert.equal((await signIn('helped', made.oneTimePassword)).kind, 'password-change')
    const set = await users.setPassword(user.id, { password: 'velvet anchor tundra' })
    assert.ok(set.ok && set.oneTimePassword === undefined)
    assert.equal((await signIn('helped', 'velvet anchor tundra')).kind, 'done')
  })
})

/** As storage has it: `bigint` as number. */
const NUMBERS = {
  getTypeParser: (oid: number, format: 'text') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
} as pg.CustomTypesConfig
