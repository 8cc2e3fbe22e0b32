import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const BIN = join(import.meta.dirname, '..', 'bin', 'scopegate.mjs')
const folder = mkdtempSync(join(tmpdir(), 'scopegate-tls-'))
const env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config') }
const caFile = join(folder, '.scopegate', 'tls', 'ca.crt')
const port = await new Promise<number>((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number }
    server.close(() => resolve(port))
  })
})
let child: ChildProcess | undefined
after(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts the server; what it says until it is ready. */
function up(...more: string[]): Promise<string> {
  const args = ['--conditions=source', BIN, 'up', '--port', String(port), '--no-sample', ...more]
  const started = spawn(process.execPath, args, { cwd: folder, env })
  child = started
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer) => {
      said += chunk
      if (said.includes('find this server by')) resolve(said)
    }
    started.stdout.on('data', hear)
    started.stderr.on('data', hear)
    started.once('exit', () => reject(new Error(said)))
  })
}

async function stop(): Promise<void> {
  const stopping = child
  child = undefined
  if (stopping === undefined || stopping.exitCode !== null) return
  const gone = new Promise((resolve) => stopping.once('exit', resolve))
  stopping.kill('SIGTERM')
  await gone
}

const health = (servername: string) =>
  new Promise<string>((resolve) => {
    const ca = readFileSync(caFile)
    get({ host: '127.0.0.1', port, path: '/healthz', servername, ca }, (response) => {
      response.resume()
      resolve(String(response.statusCode))
    }).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })

test('up --tls serves https under a CA that stays, and commands trust it by themselves', async () => {
  const first = await up('--tls', '--tls-name', 'fhir.lab.example')
  assert.ok(first.includes(`https://localhost:${port}/fhir/r4`), first)
  assert.ok(first.includes(`curl --cacert ${caFile} https://localhost:${port}/healthz`), first)
  const ca = readFileSync(caFile, 'utf8')
  assert.equal(await health('localhost'), '200')
  assert.equal(await health('fhir.lab.example'), '200')
  assert.equal(await health('other.example'), 'ERR_TLS_CERT_ALTNAME_INVALID')

  const listed = await run(process.execPath, ['--conditions=source', BIN, 'client', 'list'], {
    cwd: folder,
    env,
  })
  assert.match(listed.stdout, /client_id|no clients/i)
  const added = await run(
    process.execPath,
    ['--conditions=source', BIN, 'client', 'add', 'reader', '--scopes', 'system/Patient.rs'],
    { cwd: folder, env },
  )
  assert.ok(added.stdout.includes(`(export CURL_CA_BUNDLE=${caFile}; curl -s`), added.stdout)
  await stop()

  const second = await up('--tls', '--tls-name', 'fhir.lab.example')
  assert.equal(readFileSync(caFile, 'utf8'), ca)
  assert.ok(second.includes(caFile) && !second.includes('made just now'), second)
  assert.equal(await health('localhost'), '200')
})

test('a name that is none is refused before anything starts', async () => {
  const refused = run(
    process.execPath,
    ['--conditions=source', BIN, 'up', '--tls-name', '*.lab.example'],
    { cwd: folder, env },
  )
  await assert.rejects(refused, (error: { stderr: string; code: number }) => {
    assert.equal(error.code, 1)
    assert.match(error.stderr, /no host name and no IP address: `\*\.lab\.example`/)
    return true
  })
})
