import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { fingerprintSecret } from '@scopegate/secrets'
import { createOperator, UpFailed } from './operating/operator.ts'

// Problem 11: a secret that is there in one process and empty in another is noticed at the start.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-processes-'))
after(() => rmSync(folder, { recursive: true }))
const operator = createOperator()
const SECRET = 'correct-horse-battery-staple'
const CLIENT = (secret: string) =>
  `clients:\n  - { id: lab, secret: "${secret}", scopes: "system/Patient.rs" }\n`

/** Tells the fingerprint of its secret, in whichever process it runs. */
const TELL = `
import { parentPort } from 'node:worker_threads'
import { readConfig, readEnvironment } from '@scopegate/server'
const config = readConfig({ configFile: process.argv[2] }, readEnvironment())
const [{ fingerprint }] = config.clients[0].secrets
if (parentPort) parentPort.postMessage(fingerprint)
else if (process.send) process.send(fingerprint)
else console.log(fingerprint)
`

test('11.1: main process, worker thread and child process have the identical secret', async () => {
  // Below this folder, so that the packages are found.
  const script = join(import.meta.dirname, `.tell-${process.pid}.mjs`)
  writeFileSync(script, TELL)
  after(() => rmSync(script, { force: true }))
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`)
  for (const reference of ['env:api-clientsecret', 'env:API_CLIENTSECRET', 'file:./secret']) {
    const file = join(folder, 'scopegate.yaml')
    writeFileSync(file, CLIENT(reference))
    const env = {
      ...process.env,
      API_CLIENTSECRET: SECRET,
      // As `docker run -e api-clientsecret=…` sets it.
      'api-clientsecret': SECRET,
    }
    const execArgv = ['--conditions=source']
    const main = spawn(process.execPath, [...execArgv, script, file], { env })
    const child = fork(script, [file], { env, execArgv })
    const worker = new Worker(script, { argv: [file], env, execArgv })
    const told = await Promise.all([
      main.stdout
        .setEncoding('utf8')
        .toArray()
        .then((parts) => parts.join('').trim()),
      firstMessage(child),
      firstMessage(worker),
    ])
    assert.deepEqual(told, Array(3).fill(fingerprintSecret(SECRET)), reference)
  }
})

/** What it says first, or that it ended without a word. */
function firstMessage(from: ChildProcess | Worker): Promise<unknown> {
  const ended = Promise.withResolvers<unknown>()
  from.once('message', ended.resolve)
  from.once('exit', (code) => ended.resolve(`ended with ${code}`))
  from.once('error', ended.reject)
  return ended.promise
}

test('11.2: a secret that is not set, or set but empty, ends the process before it listens', async () => {
  const file = operator.file('unset.yaml', CLIENT('env:api-clientsecret'))
  for (const [env, expected] of [
    [{}, /unset\.yaml:2 {2}clients\[0\]\.secret: .*`api-clientsecret` is not set/],
    [{ API_CLIENTSECRET: SECRET }, /did you mean `env:API_CLIENTSECRET`.*shells drop/],
    [{ 'api-clientsecret': '' }, /`api-clientsecret` is set, but empty/],
  ] as const) {
    await assert.rejects(operator.up({ config: file, env, data: 'unset' }), (error) => {
      assert.ok(error instanceof UpFailed)
      assert.equal(error.ran.code, 1)
      assert.match(error.ran.err, expected)
      assert.ok(!error.ran.err.includes(SECRET))
      return true
    })
    assert.ok(!existsSync(operator.path('unset')), 'nothing was made')
  }
})

test('11.3: `secrets check` tells source, length and fingerprint, and no value', async () => {
  operator.file('lab.json', JSON.stringify({ lab: { secret: SECRET } }))
  operator.file('.env', `LAB='${SECRET}'\n`)
  const file = operator.file(
    'check.yaml',
    `secrets: { allowLiterals: true }\nclients:\n${[
      'env:api-clientsecret',
      'file:lab.json#/lab/secret',
      'env-file:.env#LAB',
      `literal:${SECRET}`,
      'env:NOT_THERE',
    ]
      .map((secret, at) => `  - { id: c${at}, secret: "${secret}", scopes: "system/Patient.rs" }`)
      .join('\n')}\n`,
  )
  const options = { env: { 'api-clientsecret': SECRET } }
  const table = await operator.run(['secrets', 'check', '--config', file], options)
  const json = await operator.run(['secrets', 'check', '--config', file, '--json'], options)
  assert.deepEqual([table.code, json.code], [2, 2])
  const told = JSON.parse(json.out) as Record<string, unknown>[]
  assert.deepEqual(
    told.map(({ setting, resolved, length }) => [setting, resolved, length]),
    [0, 1, 2, 3, 4].map((at) => [
      `clients[${at}].secret`,
      at < 4,
      at < 4 ? SECRET.length : undefined,
    ]),
  )
  const fingerprints = new Set(told.slice(0, 4).map(({ fingerprint }) => fingerprint))
  assert.deepEqual([...fingerprints], [fingerprintSecret(SECRET)])
  assert.match(table.out, /clients\[1\]\.secret +file:lab\.json#\/lab\/secret +yes +28 +sha256:/)
  const shown = await operator.run(
    ['config', 'show', '--config', file.replace('check', 'shown')],
    options,
  )
  assert.equal(shown.code, 1, 'what does not resolve is not shown as if it did')
  operator.file('shown.yaml', `secrets: { allowLiterals: true }\n${CLIENT(`literal:${SECRET}`)}`)
  const masked = await operator.run(['config', 'show', '--config', 'shown.yaml'], options)
  assert.equal(masked.code, 0, masked.err)
  assert.match(masked.out, /literal:\*\*\*/)
  for (const { out, err } of [table, json, masked]) assert.ok(!(out + err).includes(SECRET))
})

test('a literal is taken on request only, and every start says so', async () => {
  const refused = operator.file('literal.yaml', CLIENT(`literal:${SECRET}`))
  await assert.rejects(operator.up({ config: refused, data: 'literal' }), /secrets\.allowLiterals/)
  const config = operator.file(
    'literal.yaml',
    `secrets: { allowLiterals: true }\n${CLIENT(`literal:${SECRET}`)}`,
  )
  const server = await operator.up({ config, data: 'literal' })
  assert.match(server.stdout(), /literal:\*\*\*: it stands in the configuration itself/)
  const doctor = await operator.run(['doctor', '--config', config, '--json'])
  assert.match(doctor.out, /it stands in the configuration itself/)
  assert.equal(await server.stop(), 0)
  for (const text of [server.stdout(), server.stderr(), doctor.out]) {
    assert.ok(!text.includes(SECRET))
  }
})
