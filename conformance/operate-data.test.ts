/** Backup, restore and move through the command line, while writes go on. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import { assertIndexesAgree, findAll, readStored } from './operating/compare-store.ts'
import { createOperator, fetchToken, type RunningServer } from './operating/operator.ts'
import { createWriteLoad } from './operating/write-load.ts'

const operator = createOperator()
const env = { LOADER_SECRET: 'data-loader-secret-of-good-length-1' }
const loader = { id: 'loader', secret: env.LOADER_SECRET }
const CLIENTS = 'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: system/*.cruds }\n'
const config = operator.file('loader.yaml', CLIENTS)

const QUERIES = [
  'Observation?category=laboratory&_count=200',
  'Observation?category=vital-signs&_sort=-date&_count=100',
  'Patient?gender=female&_count=200',
  'Condition?_count=200&_include=Condition:subject',
  'Encounter?patient.gender=male&_count=200',
]

/** What a caller sees of the whole: versions of what each search finds, in order. */
async function view(server: RunningServer): Promise<Record<string, string[]>> {
  const token = await fetchToken(server.url, loader, 'system/*.cruds')
  const seen: Record<string, string[]> = {}
  for (const query of QUERIES) {
    const found = await findAll({ fhir: server.fhir, token }, query)
    seen[query] = found.map((resource) => JSON.stringify(resource))
  }
  return seen
}

async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { code, out, err } = await operator.run([...args, '--json'], { env: { ...env, ...more } })
  return { code, err, report: out === '' ? undefined : JSON.parse(out) }
}

test('a backup made while writes go on holds one moment: what was acknowledged before it, nothing torn', async () => {
  const server = await operator.up({ config, env, data: 'busy' })
  const token = await fetchToken(server.url, loader, 'system/*.cruds')
  const before = createWriteLoad()
  const target = { fhir: server.fhir, token }
  before.start(target, 4)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await before.stop()
  const during = createWriteLoad()
  during.start(target, 4)
  const { code, err } = await run(['backup', 'busy.backup', '--data', 'busy', '--config', config])
  await during.stop()
  assert.equal(code, 0, err)
  assert.ok(during.acknowledged() > 20)
  assert.equal(during.unanswered(), 0)
  assert.equal(await server.stop(), 0)

  const back = await run(['restore', 'busy.backup', '--data', 'calm', '--config', config])
  assert.equal(back.code, 0, back.err)
  // The signing keys in it are sealed with a key that is kept apart.
  await assert.rejects(operator.up({ config, env, data: 'calm' }), /master key file/)
  copyFileSync(operator.path('busy/master.key'), operator.path('calm/master.key'))
  const restored = await operator.up({ config, env, data: 'calm' })
  const calm = {
    fhir: restored.fhir,
    token: await fetchToken(restored.url, loader, 'system/*.cruds'),
  }
  const stored = await readStored(calm)
  const early = new Set(before.resources().map(({ id }) => id))
  assert.deepEqual(before.compare(stored.filter(({ id }) => early.has(id))), [])
  const torn = new Map<string, number>()
  for (const { marker } of stored) torn.set(marker, (torn.get(marker) ?? 0) + 1)
  // A marker belongs to one resource, or to the three of a transaction of which some were changed since.
  assert.ok([...torn.values()].every((count) => count <= 3))
  await assertIndexesAgree(calm, stored)
  assert.equal(await restored.stop(), 0)
})

test('embedded → own PostgreSQL → embedded: every answer is the same, clients and signing keys too', async (t) => {
  const url = await emptyTestDatabase(t)
  const there = { DATABASE_URL: url }
  const own = operator.file(
    'own.yaml',
    `storage: { url: env:DATABASE_URL, dir: ./own }\n${CLIENTS}`,
  )
  const first = await operator.up({ config, env, data: 'home', sample: true })
  const port = Number(new URL(first.url).port)
  const added = JSON.parse(
    (await operator.scopegate('client', 'add', 'mover', '--scopes', 'system/Patient.rs', '--json'))
      .out,
  )
  const mover = { id: added.client_id, secret: added.client_secret }
  const token = await fetchToken(first.url, mover, 'system/Patient.rs')
  const expected = await view(first)

  // Once with the server running, once without.
  const out = await run(['move', '--config', config, '--data', 'home', '--to-config', own], there)
  assert.equal(out.code, 0, out.err)
  assert.equal(await first.stop(), 0)
  const external = await operator.up({ config: own, data: 'own', env: { ...env, ...there }, port })
  assert.deepEqual(await view(external), expected)
  await fetchToken(external.url, mover, 'system/Patient.rs')
  const read = await fetch(`${external.fhir}/Patient`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.equal(read.status, 200, 'a token from before the move is still good')
  assert.equal(await external.stop(), 0)

  const back = await run(['move', '--config', own, '--to-data', 'again'], there)
  assert.equal(back.code, 0, back.err)
  assert.equal(back.report.rows >= out.report.rows, true)
  const last = await operator.up({ config, env, data: 'again', port })
  assert.deepEqual(await view(last), expected)
  await fetchToken(last.url, mover, 'system/Patient.rs')
  const { code } = await operator.scopegate('audit', 'verify')
  assert.equal(code, 0, 'the audit chains moved along')
  assert.equal(await last.stop(), 0)
})

test('what would lose data or copy nothing is refused', async () => {
  const onto = await run(['restore', 'busy.backup', '--data', 'again', '--config', config])
  assert.equal(onto.code, 1)
  assert.match(onto.err, /not empty|has rows|holds data|empty/)

  const twice = await run(['backup', 'busy.backup', '--data', 'calm', '--config', config])
  assert.equal(twice.code, 1)
  assert.match(twice.err, /overwrites/)

  const typo = await run(['backup', 'typo.backup', '--data', 'clam', '--config', config])
  assert.equal(typo.code, 1, 'there is nothing to back up')
  assert.ok(!existsSync(operator.path('clam')), 'and nothing was made')
  assert.ok(!existsSync(operator.path('typo.backup')))

  const whole = readFileSync(operator.path('busy.backup'))
  writeFileSync(operator.path('half.backup'), whole.subarray(0, whole.length >> 1))
  const changed = Buffer.from(whole)
  changed[whole.length >> 1] = (changed[whole.length >> 1] as number) ^ 0xff
  writeFileSync(operator.path('changed.backup'), changed)
  for (const file of ['half.backup', 'changed.backup']) {
    const { code, err } = await run(['restore', file, '--data', 'damaged', '--config', config])
    assert.equal(code, 1, file)
    assert.match(err, /fix|damaged|whole|truncated|archive|checksum/i)
  }
  // What a refused restore left behind is still good for a whole one.
  const good = await run(['restore', 'busy.backup', '--data', 'damaged', '--config', config])
  assert.equal(good.code, 0, good.err)
})
