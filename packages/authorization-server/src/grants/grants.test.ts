import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { forgetExpired } from '../forget-expired.ts'
import { exchange, launch } from '../testing/launch-app.ts'
import { type StartedApps, startApps } from '../testing/start-apps.ts'
import { NothingGranted } from './grants.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

async function granted(decision: StartedApps['signIn']['decision'], clientId = app) {
  at.signIn.decision = decision
  const { body } = await launch(at, clientId)
  assert.ok(body.access_token, JSON.stringify(body))
  const [grant] = await at.server.grants.listOf(decision.userId ?? 'u_carla')
  assert.ok(grant)
  return { grant, tokens: body as { refresh_token: string } }
}

test('a user sees what was granted, and ends it', async () => {
  const { grant, tokens } = await granted({ context: { patient: 'p1', encounter: 'e1' } })
  assert.equal(grant.clientId, app)
  assert.deepEqual(grant.context, { patient: 'p1', encounter: 'e1' })
  assert.ok(grant.scopes.includes('patient/Observation.rs'))
  assert.equal(grant.resource, at.fhir)
  assert.ok(grant.sessionId)
  assert.ok(grant.expiresAt - grant.createdAt > 300 * 86_400, 'offline lasts')

  assert.equal(await at.server.grants.revoke(grant.grantId, 'user'), true)
  assert.equal(await at.server.grants.revoke(grant.grantId, 'user'), false)
  assert.equal(await at.server.grants.find(grant.grantId), undefined)
  const { rows } = await storage.pool.query('SELECT 1 FROM engine_model WHERE grant_id = $1', [
    grant.grantId,
  ])
  assert.equal(rows.length, 0, 'codes and tokens of it are gone')
  const { body } = await exchange(at.address, {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token,
    client_id: app,
  })
  assert.equal(body.error, 'invalid_grant')
})

test('a consent is remembered for one client, user, patient and API, until it is revoked', async () => {
  const { grants } = at.server
  const other = (await at.addApp()).id
  const { grant } = await granted({ context: { patient: 'p2' }, remember: true })
  await granted({ context: { patient: 'p3' } })
  const ask = (
    patient: string | undefined,
    clientId = app,
    userId = 'u_carla',
    resource = at.fhir,
  ) => grants.remembered({ userId, clientId, patient, resource })
  assert.deepEqual((await ask('p2'))?.scopes, grant.scopes)
  assert.equal(await ask('p3'), undefined)
  assert.equal(await ask(undefined), undefined)
  assert.equal(await ask('p2', other), undefined)
  assert.equal(await ask('p2', app, 'u_peter'), undefined)
  assert.equal(await ask('p2', app, 'u_carla', 'https://orders.example/api'), undefined)
  await grants.revoke(grant.grantId, 'user')
  assert.equal(await ask('p2'), undefined)

  await granted({ context: { patient: 'p2' }, remember: true })
  const count = await grants.revokeClient('u_carla', app, 'user')
  assert.ok(count >= 2)
  assert.equal(await ask('p2'), undefined)
  assert.deepEqual(await grants.listOf('u_carla'), [])
})

test('a remembered consent outlives its tokens, is listed once, and can be taken back', async () => {
  const { grants } = at.server
  const patient = 'remembered'
  for (let count = 0; count < 3; count++) await granted({ context: { patient }, remember: true })
  await storage.pool.query('UPDATE smart_grant_context SET expires_at = now()')
  const listed = await grants.listOf('u_carla')
  assert.equal(listed.length, 1)
  assert.equal(await grants.find(listed[0]!.grantId), undefined, 'no token comes of it')
  const ask = () =>
    grants.remembered({ userId: 'u_carla', clientId: app, patient, resource: at.fhir })
  await forgetExpired(storage.transaction.bind(storage))
  assert.ok(await ask())
  assert.equal(await grants.revoke(listed[0]!.grantId, 'user'), true)
  assert.equal(await ask(), undefined)
  await forgetExpired(storage.transaction.bind(storage))
  const { rows } = await storage.pool.query(
    'SELECT 1 FROM smart_grant_context WHERE grant_id = $1',
    [listed[0]!.grantId],
  )
  assert.equal(rows.length, 0)
})

test('operators list and end what a user granted', async () => {
  const { grants } = at.server
  await granted({ userId: 'u_peter', context: { patient: 'peter' } })
  await granted({ userId: 'u_carla', context: { patient: 'p1' } })
  const views = await grants.list({ userId: 'u_peter' })
  assert.equal(views.length, 1)
  assert.equal(views[0]?.patient, 'peter')
  assert.equal((await grants.list({ clientId: app })).length, 2)
  assert.equal((await grants.list({})).length, 2)
  assert.equal((await grants.list({ limit: 1 })).length, 1)
  assert.equal(await grants.revokeAllOf('u_peter', 'operator'), 1)
  assert.equal((await grants.list({ userId: 'u_peter' })).length, 0)
  assert.equal((await grants.list({ userId: 'u_carla' })).length, 1)
})

test('nothing is granted of a program, nor without the patient that it is about', async () => {
  const create = (scopes: string[]) =>
    at.server.grants.create({
      clientId: app,
      user: { id: 'u_carla' },
      scopes,
      resource: at.fhir,
      context: {},
    })
  await assert.rejects(
    create(['system/*.rs', 'patient/*.rs', 'admin/clients.read']),
    NothingGranted,
  )
  const grantId = await create(['system/*.rs', 'user/*.rs'])
  assert.deepEqual((await at.server.grants.find(grantId))?.scopes, ['user/*.rs'])
})
