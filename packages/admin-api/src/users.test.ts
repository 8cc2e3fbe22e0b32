import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AdminApiDeps,
  createAdminApi,
  type UserRegistry,
  type UserView,
} from '@scopegate/admin-api'
import type { AdminEvent } from '@scopegate/audit'
import { failed } from '@scopegate/checks'

const URL_BASE = 'http://127.0.0.1:8080/admin/api'
const ID = 'u_AAAAAAAAAAAAAAAAAAAAAA'

const ANNA: UserView = {
  id: ID,
  username: 'anna',
  name: 'Anna Example',
  email: 'anna@clinic.example',
  fhirUser: 'Practitioner/1',
  roles: ['nurse'],
  disabled: false,
  secondFactors: ['totp'],
  mustChangePassword: false,
  hasPassword: true,
  createdAt: 1,
}

function setUp(more: Partial<AdminApiDeps> = {}) {
  const audited: AdminEvent[] = []
  const called: unknown[][] = []
  const note = (...call: unknown[]) => void called.push(call)
  const users: UserRegistry = {
    async list(query) {
      note('list', query)
      // A port that says too much: only what is known to be fit comes out.
      return { users: [{ ...ANNA, ...{ sealedPassword: 'x' } }], next: 'more' }
    },
    find: async (id) => (id === ID ? ANNA : undefined),
    findByUsername: async (name) => (name === 'anna' ? ANNA : undefined),
    async add(user) {
      note('add', user)
      if (user.username === 'taken') return { ok: false, status: 409, why: 'taken', fix: 'another' }
      const made = user.password === undefined && { oneTimePassword: 'one-time' }
      return { ok: true, user: { ...ANNA, username: user.username }, ...made }
    },
    async update(id, changes) {
      note('update', id, changes)
      return { ok: true, user: { ...ANNA, disabled: changes.disabled ?? false } }
    },
    async setPassword(id, choice) {
      note('setPassword', id, choice)
      if (choice.password === 'busy') return { ok: false, status: 503, why: 'busy', fix: 'wait' }
      const made = choice.password === undefined && { oneTimePassword: 'one-time' }
      return { ok: true, user: ANNA, ...made }
    },
    async removeSecondFactors(id) {
      note('removeSecondFactors', id)
      return { ok: true, user: { ...ANNA, secondFactors: [] } }
    },
    async remove(id) {
      note('remove', id)
      return { ok: true }
    },
  }
  const deps = {
    url: URL_BASE,
    issuer: 'http://127.0.0.1:8080',
    verifier: {
      verify: async (authorization: string | undefined) =>
        authorization === 'Bearer good'
          ? { ok: true, checks: [], token: { ...TOKEN } }
          : { ok: false, checks: [failed('token_missing')] },
    },
    users,
    sessions: {
      listOf: async () => [
        { id: 's_1', amr: ['pwd'], authTime: 1, seenAt: 2, expiresAt: 3, address: '192.0.2.7' },
      ],
      async endAllOf(userId: string) {
        note('endAllOf', userId)
        return 2
      },
    },
    grants: {
      async revokeAllOf(userId: string, reason: string) {
        note('revokeAllOf', userId, reason)
        return 3
      },
    },
    audit: { recordAdmin: async (event: AdminEvent) => void audited.push(event) },
    nowMs: () => 1000,
    addresses: { fhir: 'http://127.0.0.1:8080/fhir/r4' },
    explainer: { explain: async () => ({ allowed: true, status: 200, checks: [], notes: [] }) },
    ...more,
  }
  const api = createAdminApi(deps as unknown as AdminApiDeps)
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await api.fetch(
      new Request(`${URL_BASE}${path}`, {
        method,
        headers: { authorization: 'Bearer good' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { call, audited, called }
}

const TOKEN = {
  issuer: 'http://127.0.0.1:8080',
  subject: 'cli',
  clientId: 'cli',
  audience: [URL_BASE],
  scope: 'admin/users.read admin/users.write',
  issuedAt: 0,
  expiresAt: 1,
  fingerprint: 'f',
}

const WIRE = {
  id: ID,
  username: 'anna',
  name: 'Anna Example',
  email: 'anna@clinic.example',
  fhir_user: 'Practitioner/1',
  roles: ['nurse'],
  disabled: false,
  second_factors: ['totp'],
  must_change_password: false,
  has_password: true,
  created_at: 1,
}

test('users are listed and shown, by id and by name, without what is secret', async () => {
  const { call, called } = setUp()
  const list = await call('GET', '/users?text=an&count=20&cursor=abc')
  assert.deepEqual(list.body, { users: [WIRE], next: 'more' })
  assert.deepEqual(called, [['list', { text: 'an', cursor: 'abc', count: 20 }]])
  assert.deepEqual((await call('GET', `/users/${ID}`)).body, WIRE)
  assert.deepEqual((await call('GET', '/users/anna')).body, WIRE)
  const nobody = await call('GET', '/users/nobody')
  assert.equal(nobody.status, 404)
  assert.match(String(nobody.body.detail), /no user `nobody`/)
  assert.equal((await call('GET', '/users?count=0')).status, 400)
  assert.equal((await call('GET', '/users?txt=an')).status, 400)
})

test('adding shows a one-time password once; the audit names the user and no password', async () => {
  const { call, audited, called } = setUp()
  const made = await call('POST', '/users', {
    username: 'berta',
    fhir_user: 'Patient/1',
    roles: [],
  })
  assert.equal(made.status, 201)
  assert.equal(made.body.one_time_password, 'one-time')
  const given = await call('POST', '/users', { username: 'carla', password: 'lamp gravel otter' })
  assert.equal(given.body.one_time_password, undefined)
  assert.equal((await call('POST', '/users', { username: 'dora', password: null })).status, 201)
  assert.deepEqual(called, [
    ['add', { username: 'berta', fhirUser: 'Patient/1', roles: [] }],
    ['add', { username: 'carla', password: 'lamp gravel otter' }],
    ['add', { username: 'dora', password: null }],
  ])
  assert.deepEqual(audited[0], {
    atMs: 1000,
    correlationId: audited[0]?.correlationId,
    issuer: TOKEN.issuer,
    clientId: 'cli',
    subject: 'cli',
    action: 'user.create',
    decision: 'permitted',
    status: 201,
    target: `user/${ID}`,
    detail: { username: 'berta', roles: ['nurse'], disabled: false, fhirUser: 'Practitioner/1' },
  })
  const text = JSON.stringify(audited)
  for (const secret of ['one-time', 'lamp gravel otter', 'anna@clinic.example']) {
    assert.ok(!text.includes(secret), `the audit holds ${secret}`)
  }
})

test('what cannot be read is refused with the member, and its value is not repeated', async () => {
  const { call, called } = setUp()
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /`username` must be text/],
    [{ username: 7 }, /`username` must be text/],
    [{ username: 'x', passwort: 'typo' }, /unknown members: `passwort`/],
    [{ username: 'x', password: 7 }, /`password` must be text/],
    [{ username: 'x', password: '' }, /`password` must be text/],
    [{ username: 'x', roles: 'nurse' }, /`roles` must be a list/],
    [{ username: 'x', roles: [1] }, /`roles` must be a list/],
    [{ username: 'x', disabled: 'yes' }, /`disabled` must be true or false/],
  ]
  for (const [body, detail] of cases) {
    const refused = await call('POST', '/users', body)
    assert.equal(refused.status, 400, JSON.stringify(body))
    assert.match(String(refused.body.detail), detail)
  }
  assert.deepEqual(called, [])
  const taken = await call('POST', '/users', { username: 'taken' })
  assert.deepEqual([taken.status, taken.body.detail, taken.body.fix], [409, 'taken', 'another'])
})

test('a change names what changes; null clears; disabling ends what apps hold', async () => {
  const { call, called, audited } = setUp()
  await call('PATCH', '/users/anna', { fhir_user: null, name: 'Anna E.' })
  await call('PATCH', '/users/anna', { disabled: true })
  assert.deepEqual(called, [
    ['update', ID, { name: 'Anna E.', fhirUser: null }],
    ['update', ID, { disabled: true }],
    ['revokeAllOf', ID, 'the user was disabled by an operator'],
  ])
  assert.deepEqual(audited[0]?.detail?.changed, ['fhir_user', 'name'])
  assert.equal(audited[1]?.detail?.revokedGrants, 3)
  assert.equal((await call('PATCH', '/users/anna', {})).status, 400)
  assert.equal((await call('PATCH', '/users/anna', { password: 'x' })).status, 400)
  assert.equal((await call('PATCH', '/users/nobody', { name: 'x' })).status, 404)
})

test('a password is set, or made and shown once', async () => {
  const { call, called, audited } = setUp()
  assert.equal((await call('POST', '/users/anna/password')).body.one_time_password, 'one-time')
  const set = await call('POST', '/users/anna/password', { password: 'lamp', must_change: true })
  assert.equal(set.body.one_time_password, undefined)
  const busy = await call('POST', '/users/anna/password', { password: 'busy' })
  assert.deepEqual([busy.status, busy.body.fix], [503, 'wait'])
  assert.deepEqual(called, [
    ['setPassword', ID, {}],
    ['setPassword', ID, { password: 'lamp', mustChange: true }],
    ['setPassword', ID, { password: 'busy' }],
  ])
  assert.deepEqual(
    audited.map(({ action, decision, status }) => [action, decision, status]),
    [
      ['user.set-password', 'permitted', 200],
      ['user.set-password', 'permitted', 200],
      ['user.set-password', 'failed', 503],
    ],
  )
})

test('second factors are taken off, sessions listed and ended, the user removed with all grants', async () => {
  const { call, called, audited } = setUp()
  assert.deepEqual((await call('DELETE', '/users/anna/second-factors')).body.second_factors, [])
  assert.deepEqual((await call('GET', '/users/anna/sessions')).body.sessions, [
    { id: 's_1', amr: ['pwd'], auth_time: 1, seen_at: 2, expires_at: 3, address: '192.0.2.7' },
  ])
  assert.deepEqual((await call('DELETE', '/users/anna/sessions')).body, { id: ID, ended: 2 })
  const removed = await call('DELETE', '/users/anna')
  assert.deepEqual(removed.body, { id: ID, username: 'anna', removed: true })
  assert.deepEqual(called, [
    ['removeSecondFactors', ID],
    ['endAllOf', ID],
    ['remove', ID],
    ['revokeAllOf', ID, 'the user was removed by an operator'],
  ])
  assert.deepEqual(
    audited.map(({ action, target, detail }) => [action, target, detail]),
    [
      ['user.reset-second-factors', `user/${ID}`, { username: 'anna', removed: ['totp'] }],
      ['user.end-sessions', `user/${ID}`, { username: 'anna', ended: 2 }],
      ['user.remove', `user/${ID}`, { username: 'anna', revokedGrants: 3 }],
    ],
  )
})

test('a server without users says so', async () => {
  const { call } = setUp({ users: undefined as never, sessions: undefined as never })
  assert.equal((await call('GET', '/users')).status, 501)
  assert.equal((await call('GET', '/users/anna/sessions')).status, 501)
})

test('who would find no patient is said when the user is added or gets a fhirUser', async () => {
  const checks = [failed('user_policy_none')]
  const asked: unknown[] = []
  const { call } = setUp({
    explainer: {
      async explain(request: unknown) {
        asked.push(request)
        return { allowed: false, status: 403, checks, notes: [] }
      },
    } as unknown as AdminApiDeps['explainer'],
  })
  const { body } = await call('POST', '/users', { username: 'anna', fhir_user: 'Practitioner/1' })
  const [note] = body.notes as { code: string; what: string; fix: string }[]
  assert.equal(note?.code, 'user_policy_none')
  assert.match(note?.what ?? '', /^anna finds no patient/)
  assert.match(note?.fix ?? '', /userPolicy/)
  const claims = { scope: 'user/Patient.rs', fhirUser: 'Practitioner/1' }
  assert.deepEqual(asked, [{ method: 'GET', path: '/fhir/r4/Patient', claims }])
  const changed = await call('PATCH', `/users/${ID}`, { fhir_user: 'Practitioner/1' })
  assert.ok(changed.body.notes)
  assert.equal((await call('PATCH', `/users/${ID}`, { name: 'A' })).body.notes, undefined)
})

test('a user is added, and the one-time password told, though nothing can be explained', async () => {
  const { call } = setUp({
    explainer: {
      explain: async () => Promise.reject(new Error('busy')),
    } as unknown as AdminApiDeps['explainer'],
  })
  const { status, body } = await call('POST', '/users', { username: 'anna' })
  assert.equal(status, 201)
  assert.equal(body.one_time_password, 'one-time')
  assert.equal(body.notes, undefined)
})
