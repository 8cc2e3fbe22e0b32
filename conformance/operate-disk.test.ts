/**
 * A full disk: writes are refused with a clear answer, reads and tokens go on, and when there is room
 * again so do the writes. The data directory is a small file system in memory, which takes root.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { databaseProcesses } from '@scopegate/storage/testing'
import { assertIndexesAgree, readStored } from './operating/compare-store.ts'
import { call, createOperator, fetchToken, until } from './operating/operator.ts'
import { createWriteLoad } from './operating/write-load.ts'

const SIZE_MB = 400
const operator = createOperator(() => spawnSync('umount', ['-l', operator.path('disk')]))
const disk = operator.path('disk')
const ballast = join(disk, 'ballast')
mkdirSync(disk)
const mounted = spawnSync('mount', [
  '-t',
  'tmpfs',
  '-o',
  `size=${SIZE_MB}m,mode=700`,
  'tmpfs',
  disk,
])
const skip = mounted.status === 0 ? false : 'mounting a small file system takes root on Linux'

const env = { LOADER_SECRET: 'disk-loader-secret-of-good-length-1' }
const loader = { id: 'loader', secret: env.LOADER_SECRET }
const config = operator.file(
  'loader.yaml',
  'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: system/*.cruds }\n',
)

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

/** Takes space until `leave` bytes are free. */
function fill(leave: number): void {
  const file = openSync(ballast, 'a')
  const block = Buffer.alloc(64 * 1024)
  try {
    while (freeBytes() > leave) {
      writeSync(file, block, 0, Math.min(block.length, Math.max(1, freeBytes() - leave)))
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    fsyncSync(file)
    closeSync(file)
  }
}

test('a nearly full disk refuses writes clearly, and reads, tokens and explanations go on', {
  skip,
}, async () => {
  const server = await operator.up({ config, env, data: 'disk/data' })
  const target = {
    fhir: server.fhir,
    token: await fetchToken(server.url, loader, 'system/*.cruds'),
  }
  const patient = { resourceType: 'Patient', name: [{ family: 'Full' }] }
  const made = await call(target, 'POST', 'Patient', patient)
  const load = createWriteLoad()
  load.start(target, 4)
  await until(load.acknowledged, (count) => count > 100)
  fill(SIZE_MB * 1024 * 1024 * 0.06)
  const write = () => call(target, 'POST', 'Patient', patient)
  const refused = await until(write, ({ status }) => status >= 500)
  await load.stop()

  for (const answer of [
    refused,
    await call(target, 'PUT', `Patient/${made.body.id}`, { ...patient, id: made.body.id }),
    await call(target, 'DELETE', `Patient/${made.body.id}`),
    await call(target, 'POST', '', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: patient, request: { method: 'POST', url: 'Patient' } }],
    }),
  ]) {
    assert.ok([503, 507].includes(answer.status), JSON.stringify(answer.body))
    assert.equal(answer.body.resourceType, 'OperationOutcome')
    assert.match(answer.body.issue[0].details.text, /disk|written/)
    assert.match(answer.body.issue[0].diagnostics, /to do: /)
  }
  for (let n = 0; n < 20; n++) {
    assert.equal((await call(target, 'GET', `Patient/${made.body.id}`)).status, 200)
    assert.equal((await call(target, 'GET', 'Patient?family=Full')).status, 200)
  }
  const token = await fetchToken(server.url, loader, 'system/*.cruds')
  assert.equal((await call({ ...target, token }, 'GET', `Patient/${made.body.id}`)).status, 200)
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  const explained = await operator.scopegate('explain', '--token', token, 'GET', '/fhir/r4/Patient')
  assert.equal(explained.code, 0, explained.err)

  operator.file('one.ndjson', '{"resourceType":"Patient","id":"one"}\n')
  const importing = await operator.scopegate('import', 'one.ndjson')
  assert.equal(importing.code, 1)
  assert.match(importing.err, /disk|written|no writes/, importing.err)
  const adding = await operator.scopegate('client', 'add', 'x', '--scopes', 'system/*.rs')
  assert.equal(adding.code, 1)

  rmSync(ballast)
  await until(write, ({ status }) => status === 201)
  assert.equal((await operator.scopegate('import', 'one.ndjson')).code, 0)
  const stored = (await readStored(target)).filter(({ marker }) => marker !== '')
  assert.deepEqual(load.compare(stored), [])
  assert.equal((await operator.scopegate('audit', 'verify')).code, 0)
  assert.equal(await server.stop(), 0)
})

const rounds = Number(process.env.SCOPEGATE_CRASH_ROUNDS ?? 1)
const onlyLong = skip || (rounds < 2 && 'only with SCOPEGATE_CRASH_ROUNDS of 2 and more')

test('a disk that something else fills to the last byte loses nothing that was acknowledged', {
  skip: onlyLong,
}, async (t) => {
  const server = await operator.up({ config, env, data: 'disk/data' })
  const target = {
    fhir: server.fhir,
    token: await fetchToken(server.url, loader, 'system/*.cruds'),
  }
  const earlier = new Set((await readStored(target)).map(({ id }) => id))
  const load = createWriteLoad()
  load.start(target, 8)
  await until(load.acknowledged, (count) => count > 100)
  fill(0)
  const statuses = new Map<number, number>()
  const end = performance.now() + 6000
  while (performance.now() < end) {
    fill(0)
    const { status } = await call(target, 'GET', 'Patient?_count=1')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  t.diagnostic(`reads meanwhile: ${JSON.stringify(Object.fromEntries(statuses))}`)
  assert.ok([...statuses.keys()].every((status) => [200, 503, 507].includes(status)))
  assert.equal(server.child.exitCode, null, 'the server stays up')
  rmSync(ballast)
  const acknowledged = load.acknowledged()
  await until(load.acknowledged, (count) => count > acknowledged + 50, 60_000)
  await load.stop()
  const stored = await readStored(target)
  assert.deepEqual(load.compare(stored.filter(({ id }) => !earlier.has(id))), [])
  await assertIndexesAgree(target, stored)
  assert.equal((await operator.scopegate('audit', 'verify')).code, 0)
  assert.equal(await server.stop(), 0)
  assert.deepEqual(databaseProcesses(server.dir), [])
})
