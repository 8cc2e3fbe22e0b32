import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed } from '@scopegate/checks'
import type { PasswordAuthentication, PasswordVerdict } from '@scopegate/oauth-model'
import { DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { BASE } from './test-support/endpoint-under-test.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const SELF = 'https://self.example'
const PASSWORD = 'lamp gravel otter seven'
const practitioner = { id: 'u_1', username: 'pat', roles: [], fhirUser: 'Practitioner/PR1' }
const verdicts: Record<string, PasswordVerdict> = {
  pat: { ok: true, user: practitioner },
  ana: { ok: true, user: { ...practitioner, id: 'u_2', fhirUser: 'Patient/P1' } },
  nobody: { ok: true, user: { id: 'u_3', username: 'nobody', roles: [] } },
  careful: { ok: false, check: failed('password_second_factor') },
  fresh: { ok: false, check: failed('password_to_change') },
  guesser: { ok: false, check: failed('password_wait'), retryAfterSeconds: 30 },
}
const passwords: PasswordAuthentication = {
  async authenticateBasic(credentials) {
    const [name = '', password] = atob(credentials).split(':')
    const known = password === PASSWORD ? verdicts[name] : undefined
    return known ?? { ok: false, check: failed('password_wrong') }
  },
}
const basic = { passwords, issuer: SELF, scopes: 'user/*.rs' }
const policy = { ...DEFAULT_POLICY, userPolicy: 'all', baseUrls: [BASE] } as const
const both = await seededEndpoint(undefined, { basic, policy })
const alone = await seededEndpoint(undefined, { basic, policy, takesTokens: false })
const off = await seededEndpoint(undefined, { policy })

const as = (name: string, password = PASSWORD) => ({
  headers: { Authorization: `Basic ${btoa(`${name}:${password}`)}` },
})
const BASIC = `Basic realm="${BASE}", charset="UTF-8"`
const codeOf = (answer: Awaited<ReturnType<typeof both.send>>) =>
  answer.json.issue[0].details.coding[0].code

test('a password opens what its user may see, within the scopes of the endpoint', async () => {
  const count = 'Observation?_summary=count'
  assert.equal((await both.send(count, as('pat'))).json.total, 8)
  assert.equal((await both.send(count, as('ana'))).json.total, 6)
  assert.equal(
    (await both.send(count, { scope: 'user/*.rs', fhirUser: 'Patient/P1' })).json.total,
    6,
  )
  const refused = await both.send('Patient/P1', { ...as('pat'), method: 'DELETE' })
  assert.deepEqual([refused.status, codeOf(refused)], [403, 'permission_missing'])
  // Neither another scope nor another scheme would help.
  assert.equal(refused.headers.get('www-authenticate'), null)
})

test('a user without a FHIR resource is told that this is what is missing', async () => {
  const answer = await both.send('Patient', as('nobody'))
  assert.deepEqual([answer.status, codeOf(answer)], [403, 'user_context_missing'])
})

test('without credentials, and with bad ones, there is one challenge for each scheme', async () => {
  for (const [options, code] of [
    [{}, 'credentials_missing'],
    [as('pat', 'wrong'), 'password_wrong'],
    [as('careful'), 'password_second_factor'],
    [as('fresh'), 'password_to_change'],
  ] as const) {
    const answer = await both.send('Patient', options)
    assert.deepEqual([answer.status, codeOf(answer)], [401, code])
    const challenge = answer.headers.get('www-authenticate')
    assert.equal(challenge, `Bearer realm="${BASE}", ${BASIC}`)
  }
  const expired = await both.send('Patient', { scope: 'user/*.rs', claims: { exp: 1 } })
  assert.match(
    expired.headers.get('www-authenticate')!,
    /^Bearer realm="[^"]+", error="invalid_token", .*, Basic realm="[^"]+", charset="UTF-8"$/,
  )
})

test('who guessed too often waits', async () => {
  const answer = await both.send('Patient', as('guesser'))
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '30'])
  assert.equal(answer.headers.get('www-authenticate'), null)
})

test('two credentials in one request are refused, however good each is', async () => {
  const { Authorization } = as('pat').headers
  const token = both.lab.mintToken({ audience: BASE, scope: 'system/*.rs', clientId: 'lab' })
  for (const pair of [
    `${Authorization}, Bearer ${token}`,
    `Bearer ${token}, ${Authorization}`,
    `${Authorization}, ${Authorization}`,
  ]) {
    const answer = await both.send('Patient', { headers: { Authorization: pair } })
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'several_credentials'])
  }
  const inQuery = await both.send(`Patient?access_token=${token}`, as('pat'))
  assert.deepEqual([inQuery.status, codeOf(inQuery)], [401, 'token_in_query'])
})

test('where it is off a password is refused unseen, and the operator reads the setting', async () => {
  const answer = await off.send('Patient', as('pat'))
  assert.deepEqual([answer.status, codeOf(answer)], [401, 'scheme_unsupported'])
  assert.equal(answer.headers.get('www-authenticate'), `Bearer realm="${BASE}"`)
  assert.doesNotMatch(answer.text, /fhir\.r4\.auth/)
  const check = off.traces.at(-1)!.checks.find(({ outcome }) => outcome === 'fail')
  assert.match(check!.expected!, /`fhir\.r4\.auth` does not list `basic`/)
})

test('where it is the only way a token is refused unseen', async () => {
  assert.equal((await alone.send('Patient', as('pat'))).status, 200)
  const token = await alone.send('Patient', { scope: 'user/*.rs', fhirUser: 'Practitioner/PR1' })
  assert.deepEqual([token.status, codeOf(token)], [401, 'tokens_off'])
  assert.equal(token.headers.get('www-authenticate'), BASIC)
  const nothing = await alone.send('Patient')
  assert.deepEqual([nothing.status, codeOf(nothing)], [401, 'password_missing'])
  const { security } = (await alone.send('metadata')).json.rest[0]
  assert.deepEqual(
    security.service.map((each: { coding: { code: string }[] }) => each.coding[0]?.code),
    ['Basic'],
  )
})

test('audit and traces name the user and how it came, never the password', async () => {
  await both.send('Patient/P1', as('pat'))
  const event = both.events.at(-1)!
  assert.deepEqual(
    [event.issuer, event.clientId, event.subject, event.fhirUser],
    [SELF, 'HTTP Basic', 'u_1', 'Practitioner/PR1'],
  )
  const { checks } = both.traces.at(-1)!
  const made = checks.filter(({ outcome }) => outcome === 'pass').map(({ name }) => name)
  assert.deepEqual(made.slice(0, 4), ['token_present', 'format', 'password', 'scopes'])
  assert.equal(checks[0]?.got, 'Basic')
  const left = JSON.stringify([both.events, both.traces, off.events, off.traces, both.errors])
  for (const secret of [PASSWORD, btoa(`pat:${PASSWORD}`), btoa('pat:wrong')]) {
    assert.ok(!left.includes(secret))
  }
})
