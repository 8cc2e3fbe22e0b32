import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createStubBrowser } from '../testing/browse.ts'
import { authorizationOf, authorize, exchange, REDIRECT_URI } from '../testing/launch-app.ts'
import { type StartedApps, startApps } from '../testing/start-apps.ts'
import { POLL_SECONDS } from './model-store.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

const post = async (path: string, form: Record<string, string>) =>
  (await fetch(`${at.address}${path}`, { method: 'POST', body: new URLSearchParams(form) }).then(
    (response) => response.json(),
  )) as Record<string, string>

test('a copy of the database holds nothing that could be used', async () => {
  const live = new Map<string, string>()
  const note = (name: string, value: string | null | undefined) => {
    assert.ok(value !== undefined && value !== null && value.length >= 8, `${name}: ${value}`)
    live.set(name, value)
  }
  at.signIn.decision = { context: { patient: 'p1' } }

  const { launch: handle } = await at.server.launches.create({ clientId: app, context: {} })
  note('launch handle', handle)
  const unfinished = createStubBrowser(at.issuer)
  const pending = authorizationOf(at, app, { launch: handle, scope: 'launch user/Patient.rs' })
  await unfinished.request(`${at.issuer}/oauth/authorize?${new URLSearchParams(pending.params)}`)
  for (const [name, { value }] of unfinished.jar) note(`cookie ${name}`, value)

  const pushed = await post('/oauth/par', pending.params)
  note('request_uri', pushed.request_uri?.split(':').at(-1))

  const unused = await authorize(at, authorizationOf(at, app))
  note('code', unused.answer.get('code'))

  const browser = createStubBrowser(at.issuer)
  const request = authorizationOf(at, app)
  const { answer } = await authorize(at, request, { browser })
  for (const [name, { value }] of browser.jar) note(`cookie ${name}`, value)
  const { body } = await exchange(at.address, {
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: request.verifier,
    client_id: app,
  })
  note('first refresh token', body.refresh_token)
  const refreshed = await exchange(at.address, {
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token,
    client_id: app,
  })
  note('second refresh token', refreshed.body.refresh_token)
  note('signature of an access token', refreshed.body.access_token.split('.')[2])

  const many = Array.from(
    { length: 300 },
    (_, n) => `user/Observation.rs?code=http://loinc.org|1${n}-1`,
  )
  const long = authorizationOf(at, app, { scope: many.join(' ') })
  const { url } = await createStubBrowser(at.issuer).follow(`${at.issuer}/oauth/authorize`, {
    method: 'POST',
    body: new URLSearchParams(long.params),
  })
  const opaque = await exchange(at.address, {
    grant_type: 'authorization_code',
    code: new URL(url).searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: long.verifier,
    client_id: app,
  })
  assert.equal(opaque.body.access_token.split('.').length, 1)
  note('opaque access token', opaque.body.access_token)

  const device = await post('/oauth/device', {
    client_id: app,
    scope: 'user/Patient.rs',
    aud: at.fhir,
  })
  assert.equal(Number(device.interval), POLL_SECONDS)
  note('device code', device.device_code)
  note('user code', device.user_code)
  live.set('user code without its hyphen', (device.user_code ?? '').replace('-', ''))

  const dump = await dumpOf()
  assert.ok(dump.includes(app), 'the dump is one')
  for (const [name, value] of live) {
    for (const form of [
      value,
      encodeURIComponent(value),
      Buffer.from(value).toString('hex'),
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
    ]) {
      assert.ok(!dump.includes(form), `the database holds the ${name}`)
    }
  }
})

test('expired rows are forgotten; those that live stay', async () => {
  const { forgetExpired } = await import('../forget-expired.ts')
  const transaction = storage.transaction.bind(storage)
  const count = async () =>
    (await storage.pool.query('SELECT count(*) AS n FROM engine_model')).rows[0].n
  const before = await count()
  assert.equal(await forgetExpired(transaction), 0)
  assert.equal(await count(), before)
  await storage.pool.query(`UPDATE engine_model SET expires_at = now() WHERE model = 'Interaction'`)
  const [first, second] = await Promise.all([
    forgetExpired(transaction),
    forgetExpired(transaction),
  ])
  const gone = before - (await count())
  assert.equal((first ?? 0) + (second ?? 0), gone)
  assert.ok(gone > 0)
  const { rows } = await storage.pool.query(
    `SELECT 1 FROM engine_model WHERE model = 'Interaction'`,
  )
  assert.equal(rows.length, 0)
})

/** Every row of every table, as text. */
async function dumpOf(): Promise<string> {
  const { rows: tables } = await storage.pool.query<{ name: string }>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables
      WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
  )
  let dump = ''
  for (const { name } of tables) {
    const { rows } = await storage.pool.query(`SELECT t::text AS row FROM ${name} t`)
    dump += rows.map(({ row }) => row).join('\n')
  }
  return dump
}
