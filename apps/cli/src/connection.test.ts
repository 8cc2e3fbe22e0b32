import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLabKey, type ServedLabTokenServer, serveLabTokenServer } from '@scopegate/lab'

const BIN = join(import.meta.dirname, '..', 'bin', 'scopegate.mjs')
const SECRET = 'a secret of the lab connection, with words'
const folder = mkdtempSync(join(tmpdir(), 'scopegate-connection-'))
const env: NodeJS.ProcessEnv = {
  ...process.env,
  XDG_CONFIG_HOME: join(folder, 'config'),
  LAB_SECRET: SECRET,
}
for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
  delete env[name]
  delete env[name.toUpperCase()]
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=source', BIN, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** @param onError is told what stands on standard error so far. */
function scopegate(args: readonly string[], onError?: (err: string) => void): Promise<Ran> {
  return new Promise((resolve) => {
    const child = start(...args)
    let [out, err] = ['', '']
    child.stdout?.on('data', (chunk) => {
      out += chunk
    })
    child.stderr?.on('data', (chunk) => {
      err += chunk
      onError?.(err)
    })
    child.once('close', (code) => resolve({ code: code ?? -1, out, err }))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

let lab: ServedLabTokenServer
let broken: ServedLabTokenServer
let url = ''

before(async () => {
  lab = await serveLabTokenServer({
    keys: [createLabKey('ES256')],
    refreshTokens: {},
    clients: [
      { clientId: 'lab-reader', secret: SECRET, redirectUris: [] },
      { clientId: 'mailbox', redirectUris: ['http://127.0.0.1/callback'] },
    ],
  })
  broken = await serveLabTokenServer({ flavour: 'keycloak', keys: [createLabKey('ES256')] })
  broken.problems.add('secret_wrong')
  url = `http://127.0.0.1:${await freePort()}`
  const secret = '{ method: client_secret_basic, secrets: [env:LAB_SECRET] }'
  writeFileSync(
    join(folder, 'scopegate.yaml'),
    `server: { url: "${url}" }
connections:
  - name: lab
    issuer: "${lab.issuer}"
    clientId: lab-reader
    authentication: ${secret}
    scopes: [system/Observation.rs]
  - name: broken
    preset: keycloak
    issuer: "${broken.issuer}"
    clientId: lab-reader
    authentication: ${secret}
`,
  )
})

after(async () => {
  await lab.close()
  await broken.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('doctor of a connection, without a server', () => {
  test('in order: exit code 0, a line for each step, no secret', async () => {
    const { code, out, err } = await scopegate(['doctor', 'connection', 'lab'])
    assert.equal(code, 0, out + err)
    assert.match(out, /✓ pass {2}connection lab +secret +env:LAB_SECRET, 42 characters/)
    assert.match(out, /✓ pass {2}connection lab +client authentication +lab-reader/)
    assert.match(out, /everything is in order/)
    assert.ok(!out.includes(SECRET))
    assert.doesNotMatch(out, /eyJ[\w-]+\.eyJ/)
  })

  test('refused: the row, what the provider says, what helps, and an exit code of its kind', async () => {
    const { code, out } = await scopegate(['doctor', 'connection', 'broken'])
    assert.equal(code, 2)
    assert.match(out, /the provider says: .*Invalid client or Invalid client credentials/)
    assert.match(out, /\[keycloak_client_credentials\]/)
    assert.match(out, /fix: Compare realm|fix: compare realm/)
    const json = await scopegate(['doctor', 'connection', 'broken', '--json'])
    const report = JSON.parse(json.out)
    assert.deepEqual([json.code, report.outcome, report.kind], [2, 'fail', 'configuration'])
    assert.ok(
      report.findings.some(
        (each: { code?: string }) => each.code === 'keycloak_client_credentials',
      ),
    )
  })

  test('a connection that is not there is told from those that are', async () => {
    const { code, err } = await scopegate(['doctor', 'connection', 'lba'])
    assert.equal(code, 1)
    assert.match(err, /no connection `lba`[\s\S]*there are: lab, broken/)
  })

  test('`scopegate doctor` alone goes on as before', async () => {
    const { out } = await scopegate(['doctor', '--json'])
    assert.ok(JSON.parse(out).findings.length > 3)
  })
})
