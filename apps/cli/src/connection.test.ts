import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import {
  createLabKey,
  freePort,
  type ServedLabTokenServer,
  serveLabTokenServer,
} from '@scopegate/lab'
import { runCli } from './program.ts'

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

/** The same without a process of its own, which takes seconds to start. */
async function inProcess(...args: string[]): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const context = { environment: env, cwd: folder, stdin: process.stdin, stdout, stderr }
  const code = await runCli(args, context)
  process.exitCode = 0
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

let lab: ServedLabTokenServer
let broken: ServedLabTokenServer
let url = ''
let phone: Server
/** The user has entered the code. */
let isEntered = false
let polls = 0

/** @see RFC 8628 */
const deviceProvider: RequestListener = (request, response) => {
  const answer = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  request.resume()
  if (request.url === '/device') {
    return answer(200, {
      device_code: 'a-device-code-that-nobody-shows',
      user_code: 'WDJB-MJHT',
      verification_uri: 'https://idp.example/device',
      interval: 1,
      expires_in: 300,
    })
  }
  polls += 1
  if (!isEntered || polls < 2) return answer(400, { error: 'authorization_pending' })
  answer(200, {
    access_token: 'the-access-token-of-the-device-flow',
    token_type: 'Bearer',
    expires_in: 300,
    refresh_token: 'the-refresh-token-of-the-device-flow',
  })
}

before(async () => {
  phone = createHttpServer(deviceProvider)
  await new Promise<void>((resolve) => phone.listen(0, '127.0.0.1', resolve))
  const phoneUrl = `http://127.0.0.1:${(phone.address() as AddressInfo).port}`
  lab = await serveLabTokenServer({
    keys: [createLabKey('ES256')],
    refreshTokens: {},
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
  - name: mailbox
    issuer: "${lab.issuer}"
    grant: authorization_code
    clientId: mailbox
    authentication: { method: none }
    scopes: [openid, offline_access]
  - name: phone
    grant: device_code
    clientId: phone
    authentication: { method: none }
    tokenEndpoint: "${phoneUrl}/token"
    deviceAuthorizationEndpoint: "${phoneUrl}/device"
`,
  )
})

after(async () => {
  await lab.close()
  await broken.close()
  phone.closeAllConnections()
  phone.close()
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
    const { code, out } = await inProcess('doctor', 'connection', 'broken')
    assert.equal(code, 2)
    assert.match(out, /the provider says: .*Invalid client or Invalid client credentials/)
    assert.match(out, /\[keycloak_client_credentials\]/)
    assert.match(out, /fix: Compare realm|fix: compare realm/)
    const json = await inProcess('doctor', 'connection', 'broken', '--json')
    const report = JSON.parse(json.out)
    assert.deepEqual([json.code, report.outcome, report.kind], [2, 'fail', 'configuration'])
    assert.ok(
      report.findings.some(
        (each: { code?: string }) => each.code === 'keycloak_client_credentials',
      ),
    )
  })

  test('a connection that is not there is told from those that are', async () => {
    const { code, err } = await inProcess('doctor', 'connection', 'lba')
    assert.equal(code, 2)
    assert.match(err, /no connection `lba`[\s\S]*there are: lab, broken, mailbox, phone/)
  })

  test('`scopegate doctor` looks at every connection, and asks for no token', async () => {
    const asked = lab.counts.requests
    const { out } = await inProcess('doctor', '--json')
    const { findings } = JSON.parse(out) as { findings: { subject: string; check: string }[] }
    const of = (subject: string) => findings.filter((each) => each.subject === subject)
    assert.ok(findings.some(({ check }) => check === 'listen'))
    assert.ok(of('connection lab').some(({ check }) => check === 'discovery'))
    assert.equal(lab.counts.requests, asked, 'no token is asked for')
  })
})

describe('with a server', () => {
  let server: ChildProcess
  let log = ''

  before(async () => {
    server = start('up', '--no-sample')
    let said = ''
    server.stdout?.on('data', (chunk) => {
      log += chunk
    })
    await new Promise<void>((resolve, reject) => {
      server.once('exit', () => reject(new Error(`the server ended:\n${log}${said}`)))
      server.stderr?.on('data', (chunk) => {
        said += chunk
        if (said.includes('Commands such as')) resolve()
      })
    })
  })

  after(async () => {
    if (server.exitCode !== null) return
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('exit', resolve))
  })

  test('token prints the token and nothing else; one is kept for all', async () => {
    lab.forget()
    const [plain, header] = await Promise.all([
      scopegate(['token', 'lab', '--min-valid', '30']),
      scopegate(['token', 'lab', '--header']),
    ])
    assert.equal(plain.code, 0, plain.err)
    assert.match(plain.out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    assert.ok(lab.readAccessToken(plain.out.trim()), 'the provider knows it')
    assert.equal(header.out, `Authorization: Bearer ${plain.out}`)
    assert.equal(lab.counts.requests, 1)
    assert.ok(!log.includes(plain.out.trim()), 'no token in the log')
  })

  test('no token: the row of the catalogue is on standard error, and nothing on the other', async () => {
    const { code, out, err } = await scopegate(['token', 'broken'])
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /no token for connection `broken`: Keycloak does not know `lab-reader`/)
    assert.match(err, /fix: .*Clients → Credentials/)
    const shown = await scopegate(['connection', 'show', 'broken', '--json'])
    const { state, lastFailure } = JSON.parse(shown.out)
    assert.equal(state, 'open')
    assert.equal(lastFailure.code, 'keycloak_client_credentials')
    assert.equal(lastFailure.provider.status, 401)
  })

  test('what was set right at the provider is seen at once after a retry', async () => {
    broken.problems.clear()
    const { code, out } = await scopegate(['connection', 'retry', 'broken'])
    assert.equal(code, 0, out)
    assert.equal((await scopegate(['token', 'broken'])).code, 0)
    const { out: list } = await scopegate(['connection', 'list'])
    assert.match(list, /^broken +fresh +\d+ s/m)
    assert.match(list, /^mailbox +(idle|signed-out) +–/m)
  })

  test('a user signs in through the browser, and the connection has a token from then on', async () => {
    let opened = false
    const run = await scopegate(['connection', 'authorize', 'mailbox'], async (err) => {
      const address = /\n {2}(http\S+)\n\n/.exec(err)?.[1]
      if (address === undefined || opened) return
      opened = true
      const url = new URL(address)
      assert.match(
        url.searchParams.get('redirect_uri') ?? '',
        /^http:\/\/127\.0\.0\.1:\d+\/callback$/,
      )
      assert.equal(url.searchParams.get('code_challenge_method'), 'S256')
      url.searchParams.set('lab_user', lab.users[0]?.id ?? '')
      await (await fetch(url)).text()
    })
    assert.equal(run.code, 0, run.err)
    assert.match(run.out, /mailbox: signed in/)
    const { code, out, err } = await scopegate(['token', 'mailbox'])
    assert.equal(code, 0, err)
    assert.ok(lab.readAccessToken(out.trim()))
  })

  test('a user signs in on another device, while the command waits', async () => {
    const run = await scopegate(['connection', 'authorize', 'phone', '--device'], (err) => {
      isEntered = err.includes('WDJB-MJHT')
    })
    assert.equal(run.code, 0, run.err)
    assert.match(run.err, /open https:\/\/idp\.example\/device on any device/)
    assert.ok(!(run.err + run.out + log).includes('a-device-code-that-nobody-shows'))
    const { out } = await scopegate(['token', 'phone'])
    assert.equal(out, 'the-access-token-of-the-device-flow\n')
    assert.ok(!log.includes('the-refresh-token-of-the-device-flow'))
  })

  test('the doctor asks the running server, which uses no refresh token for it', async () => {
    lab.forget()
    const { code, out } = await scopegate([
      'doctor',
      'connection',
      'mailbox',
      '--running',
      '--json',
    ])
    const { findings } = JSON.parse(out)
    assert.ok(code === 0 || code === 1, out)
    assert.ok(findings.some((each: { check: string }) => each.check === 'client authentication'))
    assert.equal(lab.counts.requests, 0)
  })

  test('a provider that is away makes no server unready, and metrics tell of it', async () => {
    broken.conditions.outage = 'unavailable'
    assert.equal((await inProcess('doctor', 'connection', 'broken')).code, 5)
    assert.equal(await (await fetch(`${url}/readyz`)).text(), 'ready\n')
    const metrics = await (await fetch(`${url}/metrics`)).text()
    assert.match(metrics, /scopegate_connection_state\{connection="lab",state="fresh"\} 1/)
    assert.match(
      metrics,
      /scopegate_connection_failures_total\{connection="broken",kind="configuration",code="keycloak_client_credentials"\} \d/,
    )
  })
})
