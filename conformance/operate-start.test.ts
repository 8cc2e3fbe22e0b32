/** Starting: who wins, what is refused, and that nothing stays behind. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@scopegate/lab'
import { openStorage } from '@scopegate/storage'
import {
  databaseProcesses,
  databaseProcessesGone,
  emptyTestDatabase,
} from '@scopegate/storage/testing'
import pg from 'pg'
import {
  call,
  createOperator,
  fetchToken,
  type RunningServer,
  UpFailed,
  type UpOptions,
  until,
} from './operating/operator.ts'

const operator = createOperator()
const env = { LOADER_SECRET: 'start-loader-secret-of-good-length-1' }
const loader = { id: 'loader', secret: env.LOADER_SECRET }
const CLIENTS = 'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: system/*.cruds }\n'
const config = operator.file('loader.yaml', CLIENTS)

async function failing(options: UpOptions) {
  try {
    await operator.up(options)
  } catch (error) {
    if (error instanceof UpFailed) return error.ran
    throw error
  }
  return assert.fail('the server started')
}

function isRunning(outcome: PromiseSettledResult<RunningServer>) {
  return outcome.status === 'fulfilled'
}

test('of two servers started at once on one data directory one wins, and the other names it', async () => {
  const outcomes = await Promise.allSettled([
    operator.up({ config, env, data: 'both' }),
    operator.up({ config, env, data: 'both' }),
  ])
  assert.equal(outcomes.filter(isRunning).length, 1, JSON.stringify(outcomes))
  const winner = outcomes.find(isRunning) as PromiseFulfilledResult<RunningServer>
  const loser = outcomes.find((one) => !isRunning(one)) as PromiseRejectedResult
  const { code, err } = (loser.reason as UpFailed).ran
  const server = winner.value
  assert.equal(code, 1)
  assert.ok(err.includes(server.url), err)
  assert.ok(err.includes(`process ${server.serverPid}`), err)
  assert.match(err, /stop that one|storage\.dir/)

  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  await fetchToken(server.url, loader, 'system/*.cruds')
  assert.equal(await server.stop(), 0)
  assert.deepEqual(databaseProcesses(server.dir), [])
})

test('an occupied port is a clear error, and nothing is left running', async (t) => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  t.after(() => other.close())
  const { code, err } = await failing({ config, env, data: 'occupied', port })
  assert.equal(code, 1)
  assert.match(err, new RegExp(`127\\.0\\.0\\.1:${port} is already taken`))
  assert.match(err, /--port/)
  assert.deepEqual(databaseProcesses(operator.path('occupied')), [])
  assert.ok(!existsSync(operator.path('occupied/postgres/owner.json')))
})

test('a first start that is stopped or killed halfway leaves nothing, and the next one is whole', async () => {
  const dir = operator.path('halfway')
  const dataComesIn = () => until(() => existsSync(join(dir, 'sample-clients.json')), Boolean)
  for (const [signal, when] of [
    ['SIGTERM', () => sleep(900)],
    ['SIGKILL', () => sleep(700)],
    ['SIGKILL', () => sleep(1500)],
    ['SIGKILL', dataComesIn],
  ] as const) {
    const start = operator.up({
      data: 'halfway',
      sample: true,
      onStart: (child) => void when().then(() => child.kill(signal)),
    })
    await start.then((server) => server.exited).catch(() => undefined)
    await databaseProcessesGone(dir)
  }
  const server = await operator.up({ data: 'halfway', sample: true })
  const { clients } = JSON.parse(readFileSync(join(dir, 'sample-clients.json'), 'utf8'))
  const { clientId: id, clientSecret: secret } = clients[0]
  const token = await fetchToken(
    server.url,
    { id, secret },
    'system/Observation.rs?category=laboratory',
  )
  const { body } = await call({ ...server, token }, 'GET', 'Observation?_summary=count')
  assert.equal(body.total, 116)
  assert.equal(await server.stop(), 0)
})

test('plain HTTP off loopback is refused before anything is made', async () => {
  const cases = [
    ['listen', 'server: { listen: "0.0.0.0:18080" }', /listen\.yaml:1 {2}server\.listen/],
    ['any6', 'server: { listen: "[::]:18080" }', /any6\.yaml:1 {2}server\.listen/],
    ['url', 'server: { url: "http://fhir.example:8080" }', /url\.yaml:1 {2}server\.url/],
    ['https', 'server: { url: "https://fhir.example" }', /https\.yaml:1 {2}server\.url/],
  ] as const
  const refuse = async ([name, yaml, expected]: (typeof cases)[number]) => {
    const file = operator.file(`${name}.yaml`, `${yaml}\n`)
    const { code, err } = await operator.scopegate('up', '--config', file, '--data', 'refused')
    assert.equal(code, 1, name)
    assert.match(err, expected)
    assert.match(err, /loopback|ends TLS/)
    assert.ok(!existsSync(operator.path('refused')), 'nothing was made')
  }
  await Promise.all(cases.map(refuse))
})

test('with storage.url the data is in that PostgreSQL, and several servers may start at once', async (t) => {
  const url = await emptyTestDatabase(t)
  const own = operator.file(
    'own.yaml',
    `storage: { url: env:DATABASE_URL }\nsecrets: { masterKeyFile: ./shared.key }\n${CLIENTS}`,
  )
  const options = { config: own, env: { ...env, DATABASE_URL: url } }
  const servers = await Promise.all([
    operator.up({ ...options, data: 'own1' }),
    operator.up({ ...options, data: 'own2' }),
  ])
  const [one, two] = servers
  const token = await fetchToken(one.url, loader, 'system/*.cruds')
  const made = await call({ ...one, token }, 'POST', 'Patient', { resourceType: 'Patient' })
  assert.equal(made.status, 201)
  const other = { ...two, token: await fetchToken(two.url, loader, 'system/*.cruds') }
  assert.equal((await call(other, 'GET', `Patient/${made.body.id}`)).status, 200)
  assert.ok(!existsSync(operator.path('own1/postgres')), 'no embedded database')
  assert.deepEqual(await Promise.all(servers.map((server) => server.stop())), [0, 0])

  const again = await operator.up({ ...options, data: 'own1', port: Number(new URL(one.url).port) })
  assert.equal((await call({ ...again, token }, 'GET', `Patient/${made.body.id}`)).status, 200)
  assert.equal(await again.stop(), 0)
})

test('a schema newer than the program is refused and not touched', async (t) => {
  const url = await emptyTestDatabase(t)
  const storage = await openStorage({ url })
  await storage.pool.query(
    `INSERT INTO scopegate_migration SELECT (jsonb_populate_record(m, '{"version": 9999, "name": "from-the-future"}')).*
     FROM scopegate_migration m ORDER BY version LIMIT 1`,
  )
  await storage.close()
  const state = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query(
      `SELECT c.relname, c.relfilenode, n_tup_ins + n_tup_upd + n_tup_del AS changes
       FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
    await client.end()
    return rows
  }
  const before = await state()
  const newer = operator.file('newer.yaml', `storage: { url: env:DATABASE_URL }\n${CLIENTS}`)
  const { code, err } = await failing({
    config: newer,
    env: { ...env, DATABASE_URL: url },
    data: 'newer',
  })
  assert.equal(code, 1)
  assert.match(err, /newer Scopegate/)
  assert.deepEqual(await state(), before)
})

test('a database that cannot be used is named by its setting, and its password is not repeated', async () => {
  const own = operator.file('away.yaml', 'storage: { url: env:DATABASE_URL }\n')
  const port = await freePort()
  for (const [DATABASE_URL, expected] of [
    [`postgres://someone:hunter2hunter2@127.0.0.1:${port}/none`, /storage\.url/],
    ['mysql://someone:hunter2hunter2@127.0.0.1/none', /away\.yaml:1 {2}storage\.url/],
  ] as const) {
    const { code, err, out } = await failing({ config: own, env: { DATABASE_URL }, data: 'away' })
    assert.equal(code, 1)
    assert.match(err, expected)
    assert.ok(!(err + out).includes('hunter2'), err)
  }
  const { err } = await failing({ config: own, data: 'away' })
  assert.match(err, /away\.yaml:1 {2}storage\.url.*DATABASE_URL/)
})
