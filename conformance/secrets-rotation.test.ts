import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fingerprintSecret } from '@scopegate/secrets'
import { until } from './operating/operator.ts'
import { openSmartServer } from './support/open-smart-server.ts'

// Problem 11.5 and scenario 17: a secret that changed is used from then on; no restart.
const mount = mkdtempSync(join(tmpdir(), 'scopegate-mount-'))
after(() => rmSync(mount, { recursive: true }))
const SECRETS = [
  'the-first-secret-0123',
  'the-second-secret-0123',
  'the-third-secret-0123',
] as const

/** As the kubelet does it: a folder of its own, and a link that is put over the former one. */
let version = 0
function swap(secret: string): void {
  version += 1
  const folder = `..2026_11_24_${version}`
  mkdirSync(join(mount, folder))
  writeFileSync(join(mount, folder, 'partner'), `${secret}\n`)
  symlinkSync(folder, join(mount, '..data_tmp'))
  renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
}
swap(SECRETS[0])
symlinkSync(join('..data', 'partner'), join(mount, 'partner'))

const server = await openSmartServer({
  withoutSample: true,
  yaml: `clients:\n  - { id: partner, secret: "file:${mount}/partner", scopes: system/Patient.rs }\n`,
})
after(() => server.close())

async function statusWith(secret: string): Promise<number> {
  const response = await fetch(server.tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`partner:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/Patient.rs' }),
  })
  await response.arrayBuffer()
  return response.status
}

const rotations = async () =>
  (await server.sql('SELECT content FROM audit_admin ORDER BY seq'))
    .map(({ content }) => JSON.parse(String(content)) as Record<string, unknown>)
    .filter(({ action }) => action === 'secret.rotate')

test('a mounted secret that Kubernetes swaps is in force without a restart', async () => {
  assert.equal(await statusWith(SECRETS[0]), 200)
  swap(SECRETS[1])
  await until(
    () => statusWith(SECRETS[1]),
    (status) => status === 200,
  )
  assert.equal(await statusWith(SECRETS[0]), 401)
})

test('so is one that changed before SIGHUP', async () => {
  swap(SECRETS[2])
  await server.reload()
  assert.equal(await statusWith(SECRETS[2]), 200)
})

test('each change is an audit row: which secret, from where, the fingerprint, no value', async () => {
  const rows = await rotations()
  assert.deepEqual(
    rows.map(({ target, detail }) => [target, detail]),
    SECRETS.slice(1).map((secret) => [
      'clients[0].secret',
      { by: (detailOf(rows, secret) as { by: string }).by, ...rotated(secret) },
    ]),
  )
  const kept = JSON.stringify(await server.sql('SELECT content FROM audit_admin')) + server.log
  for (const secret of SECRETS) assert.ok(!kept.includes(secret))
})

test('a secret that became empty changes nothing, and the operator is told', async () => {
  swap('')
  assert.equal(await server.reload(), 'refused')
  assert.equal(await statusWith(SECRETS[2]), 200)
  assert.ok(server.log.some((line) => line.includes('is there, but empty')))
})

function rotated(secret: string) {
  return { source: `file:${mount}/partner`, fingerprint: fingerprintSecret(secret) }
}

function detailOf(rows: readonly Record<string, unknown>[], secret: string): unknown {
  const wanted = fingerprintSecret(secret)
  return rows.find(({ detail }) => (detail as { fingerprint: string }).fingerprint === wanted)
    ?.detail
}
