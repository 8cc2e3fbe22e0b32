import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
const context = { patient: 'p1', encounter: 'e1', intent: 'reconcile' }
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

test('a handle gives its context once, however many ask at once', async () => {
  const { launches } = at.server
  const { launch, expiresAt } = await launches.create({ clientId: app, context })
  assert.ok(launch.length >= 36, 'nobody guesses it')
  assert.ok(Math.abs(expiresAt - Date.now() / 1000 - 300) < 60)
  const by = { clientId: app, userId: 'u_carla' }
  const answers = await Promise.all(Array.from({ length: 20 }, () => launches.redeem(launch, by)))
  const done = answers.filter(({ kind }) => kind === 'done')
  assert.deepEqual(done, [{ kind: 'done', context }])
  assert.deepEqual(await launches.redeem(launch, by), { kind: 'refused', reason: 'used' })
})

test('a handle is for its client and its user, and stays good when others try', async () => {
  const { launches } = at.server
  const { launch } = await launches.create({ clientId: app, userId: 'u_carla', context })
  const redeem = (clientId: string, userId: string) => launches.redeem(launch, { clientId, userId })
  const refused = (reason: string) => ({ kind: 'refused', reason })
  assert.deepEqual(await redeem('other', 'u_carla'), refused('other-client'))
  assert.deepEqual(await redeem(app, 'u_peter'), refused('other-user'))
  assert.deepEqual(await redeem(app, 'u_carla'), { kind: 'done', context })
  assert.deepEqual(await redeem('other', 'u_carla'), refused('other-client'), 'nothing more')
})

test('a handle that is bound to nobody is anybody’s; one that is over or made up nobody’s', async () => {
  const { launches } = at.server
  const by = { clientId: app, userId: 'u_carla' }
  const open = await launches.create({ context: {} })
  assert.deepEqual(await launches.redeem(open.launch, by), { kind: 'done', context: {} })
  const short = await launches.create({ context, seconds: 10 })
  await storage.pool.query('UPDATE launch_handle SET expires_at = now()')
  assert.deepEqual(await launches.redeem(short.launch, by), { kind: 'refused', reason: 'expired' })
  assert.deepEqual(await launches.redeem('sgl_x', by), { kind: 'refused', reason: 'unknown' })
})
