import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UpstreamLogin } from '@scopegate/identity'
import { testStorage } from '@scopegate/storage/testing'
import { addTotp, HOME, identityOn, PASSWORD } from './identity.fixture.ts'

const storage = await testStorage()
const clock = { ms: 1_800_000_000_000 }
const identity = identityOn(storage, clock)
const { users, sessions, signIn, add } = identity

describe('users', () => {
  test('a user has what was said of them, and no more', async () => {
    const user = await add({
      username: 'anna.meyer@clinic.example',
      name: ' Anna Meyer ',
      email: 'anna@clinic.example',
      fhirUser: 'Practitioner/17',
      roles: ['nurse', 'admin', 'nurse', 'CN=Ward 3,DC=clinic'],
      locale: 'DE-at',
    })
    assert.deepEqual(user, {
      id: user.id,
      username: 'anna.meyer@clinic.example',
      name: 'Anna Meyer',
      email: 'anna@clinic.example',
      fhirUser: 'Practitioner/17',
      roles: ['CN=Ward 3,DC=clinic', 'admin', 'nurse'],
      disabled: false,
      locale: 'de-AT',
      secondFactors: [],
      mustChangePassword: false,
      hasPassword: true,
      createdAt: 1_800_000_000,
    })
    assert.deepEqual(await users.find(user.id), user)
    assert.deepEqual(await users.findByUsername('Anna.Meyer@Clinic.Example'), user)
    assert.equal(await users.findByUsername(user.id), undefined)
    assert.equal(await users.find('u_nobody'), undefined)
  })

  const unusable: readonly (readonly [string, object, RegExp])[] = [
    ['a name that is empty', { username: ' ' }, /user name cannot be used: it is empty/],
    ['a name with a blank', { username: 'a b' }, /holds a blank/],
    ['a name with an invisible character', { username: 'a\u200bb' }, /invisible/],
    ['a name like an id', { username: 'u_anna' }, /are ids/],
    ['a name that is long', { username: 'x'.repeat(101) }, /longer than 100/],
    ['a fhirUser of another type', { fhirUser: 'Observation/1' }, /no reference to a person/],
    ['a fhirUser with a query', { fhirUser: 'Patient/1?x=y' }, /no reference to a person/],
    ['a fhirUser of a version', { fhirUser: 'Patient/1/_history/2' }, /no reference to a person/],
    ['a fhirUser with two lines', { fhirUser: 'Patient/1\n' }, /no reference to a person/],
    ['a fhirUser of another scheme', { fhirUser: 'urn:x/Patient/1' }, /no reference to a person/],
    ['an e-mail address that is none', { email: 'anna' }, /e-mail address is none/],
    ['a role of two lines', { roles: ['a\nb'] }, /role "a\\nb" cannot be used/],
    ['a language that is none', { locale: 'german language' }, /no language tag/],
    ['a password that is short', { password: 'short' }, /has 5 characters, it needs 12/],
  ]
  for (const [what, part, why] of unusable) {
    test(`${what} is refused, and says what is wrong`, async () => {
      const refused = await users.add({ username: 'unusable', password: PASSWORD, ...part })
      assert.ok(!refused.ok)
      assert.equal(refused.status, 400)
      assert.match(refused.why, why)
      assert.equal(await users.findByUsername('unusable'), undefined)
    })
  }

  for (const fhirUser of [
    'Patient/p-1.x',
    'RelatedPerson/1',
    'PractitionerRole/1',
    'Person/1',
    'https://ehr.example/fhir/r4/Practitioner/1',
    'http://127.0.0.1:8080/Patient/1',
  ]) {
    test(`${fhirUser} is a fhirUser`, async () => {
      const user = await add({ username: `fhir-${encodeURIComponent(fhirUser)}`, fhirUser })
      assert.equal(user.fhirUser, fhirUser)
    })
  }

  test('user names that differ in case only are one; of two added at once one is', async () => {
    await add({ username: 'Straße' })
    await add({ username: 'ΣΑΣ' })
    for (const same of ['STRAßE', 'strasse', 'σασ', 'σας']) {
      const again = await users.add({ username: same, password: PASSWORD })
      assert.ok(!again.ok)
      assert.equal(again.status, 409)
      assert.match(again.why, new RegExp(`there is a user \`${same}\` already`))
    }
    const both = await Promise.all([
      users.add({ username: 'race' }),
      users.add({ username: 'Race' }),
    ])
    assert.deepEqual(both.map(({ ok }) => ok).sort(), [false, true])
  })

  test('a change changes what it names, null clears, and another user is left alone', async () => {
    const user = await add({ username: 'changed', email: 'c@x.example', fhirUser: 'Patient/1' })
    const bystander = await add({ username: 'bystander', fhirUser: 'Patient/2' })
    clock.ms += 1000
    const changed = await users.update(user.id, {
      username: 'renamed',
      email: null,
      fhirUser: 'Practitioner/2',
      roles: ['admin'],
    })
    assert.ok(changed.ok)
    const { email, ...rest } = user
    assert.deepEqual(changed.user, {
      ...rest,
      username: 'renamed',
      fhirUser: 'Practitioner/2',
      roles: ['admin'],
    })
    assert.deepEqual(await users.find(bystander.id), bystander)
    assert.equal((await signIn('renamed')).kind, 'done')
    const taken = await users.update(user.id, { username: 'BYSTANDER' })
    assert.ok(!taken.ok && taken.status === 409)
    const nobody = await users.update('u_nobody', { name: 'x' })
    assert.ok(!nobody.ok && nobody.status === 404)
  })

  test('the list is ordered by user name, in pages, and can be searched', async (t) => {
    const other = await testStorage(t)
    const many = identityOn(other, clock)
    for (const n of [3, 1, 2, 5, 4]) {
      await many.add({ username: `user-${n}`, name: n === 4 ? 'Ärztin Vier' : `U ${n}` })
    }
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await many.users.list({ count: 2, ...(cursor && { cursor }) })
      assert.ok(page.users.length <= 2)
      names.push(...page.users.map(({ username }) => username))
      cursor = page.next
    } while (cursor)
    assert.deepEqual(names, ['user-1', 'user-2', 'user-3', 'user-4', 'user-5'])
    const found = await many.users.list({ text: 'VIER' })
    assert.deepEqual(
      found.users.map(({ username }) => username),
      ['user-4'],
    )
    assert.deepEqual((await many.users.list({ text: "%' OR 1=1 --\u0000" })).users, [])
    assert.equal(
      (await many.users.list({ cursor: 'not base64 \u0000 at all' })).users.length >= 0,
      true,
    )
  })
})

describe('signing in elsewhere', () => {
  const login = (more: Partial<UpstreamLogin> = {}): UpstreamLogin => ({
    issuer: 'https://idp.example',
    subject: 'sub-1',
    ...more,
  })

  test('the first time makes a user, later ones find it, by issuer and subject', async () => {
    const claims = { username: 'ute', name: 'Ute Example', roles: ['nurse'] }
    const first = await users.linkUpstream(login({ claims }))
    assert.ok(first.kind === 'done' && first.created)
    assert.equal(first.user.hasPassword, false)
    assert.equal(first.user.username, 'ute')
    const again = await users.linkUpstream(login({ claims: { ...claims, username: 'other' } }))
    assert.deepEqual(again, { kind: 'done', user: first.user, created: false })
    const subject = await users.linkUpstream(login({ subject: 'sub-2' }))
    const issuer = await users.linkUpstream(login({ issuer: 'https://other.example' }))
    assert.ok(subject.kind === 'done' && issuer.kind === 'done')
    assert.equal(new Set([first.user.id, subject.user.id, issuer.user.id]).size, 3)
    assert.equal((await signIn('ute')).kind, 'refused', 'there is no password')
  })

  test('an e-mail address or a user name takes over no account', async () => {
    const local = await add({ username: 'boss', email: 'boss@clinic.example', roles: ['admin'] })
    const claims = { username: 'boss', email: 'boss@clinic.example' }
    const linked = await users.linkUpstream(login({ subject: 'attacker', claims }))
    assert.ok(linked.kind === 'done')
    assert.notEqual(linked.user.id, local.id)
    assert.match(linked.user.username, /^boss-[0-9a-f]{8}$/)
    assert.deepEqual(linked.user.roles, [])
    assert.deepEqual(await users.find(local.id), local)
  })

  test('first sign-ins at once make one user', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, () =>
        users.linkUpstream(login({ subject: 'parallel', claims: { username: 'parallel' } })),
      ),
    )
    assert.equal(new Set(all.map((one) => one.kind === 'done' && one.user.id)).size, 1)
    assert.equal(all.filter((one) => one.kind === 'done' && one.created).length, 1)
    const { users: found } = await users.list({ text: 'parallel' })
    assert.equal(found.length, 1)
  })

  test('what came from claims goes with them, what an operator gave stays', async () => {
    const subject = 'managed'
    const first = await users.linkUpstream(
      login({ subject, claims: { fhirUser: 'Practitioner/1', roles: ['nurse'], name: 'M' } }),
    )
    assert.ok(first.kind === 'done')
    assert.equal(first.user.fhirUser, 'Practitioner/1')
    await users.update(first.user.id, { email: 'm@clinic.example' })
    const later = await users.linkUpstream(login({ subject, claims: { roles: [] } }))
    assert.ok(later.kind === 'done')
    assert.equal(later.user.fhirUser, undefined)
    assert.deepEqual(later.user.roles, [])
    assert.equal(later.user.email, 'm@clinic.example')
    await users.update(first.user.id, { fhirUser: 'Practitioner/9', roles: ['admin'] })
    const last = await users.linkUpstream(login({ subject, claims: { roles: [] } }))
    assert.ok(last.kind === 'done')
    assert.equal(last.user.fhirUser, 'Practitioner/9')
    assert.deepEqual(last.user.roles, ['admin'])
  })

  test('claims that cannot be stored, and users who are disabled, are refused with the reason', async () => {
    const bad = await users.linkUpstream(
      login({ subject: 'bad', claims: { fhirUser: 'Device/1' } }),
    )
    assert.ok(bad.kind === 'refused' && bad.reason === 'bad-claims')
    assert.match(bad.why, /fhirUser/)
    const good = await users.linkUpstream(login({ subject: 'off' }))
    assert.ok(good.kind === 'done')
    await users.disable(good.user.id)
    const refused = await users.linkUpstream(login({ subject: 'off' }))
    assert.deepEqual(refused, { kind: 'refused', reason: 'disabled' })
  })

  test('names that cannot be user names become some', async () => {
    const named = await users.linkUpstream(
      login({ subject: 'named', claims: { name: 'Doctor  Who Else' } }),
    )
    const nameless = await users.linkUpstream(
      login({ subject: 'nameless', claims: { username: '\u200b' } }),
    )
    assert.ok(named.kind === 'done' && nameless.kind === 'done')
    assert.equal(named.user.username, 'Doctor.Who.Else')
    assert.match(nameless.user.username, /^user-[0-9a-f]{8}$/)
  })
})

test('a dump of the database shows no secret, and not what was tried', async () => {
  const user = await add({ username: 'secretive' })
  const { secret, recoveryCodes, codeAt } = await addTotp(identity, user.id, clock.ms)
  const pending = await users.beginTotp(user.id)
  const made = await users.add({ username: 'fresh' })
  const { token } = await sessions.start({ userId: user.id, amr: ['pwd'], address: HOME })
  await signIn('secretive')
  await signIn('tried-name-of-nobody', 'tried password of nobody', '203.0.113.77')
  assert.ok(pending.ok && made.ok && made.oneTimePassword)

  const { rows: tables } = await storage.pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = current_schema() AND table_name LIKE 'identity\\_%'`,
  )
  assert.ok(tables.length >= 8)
  let dump = ''
  for (const { name } of tables) {
    const { rows } = await storage.pool.query(`SELECT t::text AS row FROM ${name} t`)
    dump += rows.map(({ row }) => row).join('\n')
  }
  assert.match(dump, /secretive/)
  const secrets = {
    password: PASSWORD,
    'password hash': '$argon2id$',
    'one-time password': made.oneTimePassword,
    'TOTP secret': secret,
    'pending TOTP secret': pending.secret,
    'recovery code': recoveryCodes[0] as string,
    'recovery code without dashes': (recoveryCodes[0] as string).replaceAll('-', ''),
    'session token': token,
    'tried name': 'tried-name-of-nobody',
    'tried address': '203.0.113.77',
  }
  for (const [what, value] of Object.entries(secrets)) {
    for (const form of ['utf8', 'hex', 'base64'] as const) {
      const text = Buffer.from(value).toString(form).replace(/=+$/, '')
      assert.ok(!dump.includes(text), `the dump shows the ${what}, as ${form}`)
    }
  }
  assert.ok(codeAt(clock.ms).length === 6)
})
