import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { freePort } from '@scopegate/lab'
import { createProgram } from './program.ts'

const BIN = join(import.meta.dirname, '..', 'bin', 'scopegate.mjs')
const folder = mkdtempSync(join(tmpdir(), 'scopegate-cli-'))
const env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config') }

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function scopegate(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--conditions=source', BIN, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    child.once('close', (code) =>
      resolve({
        code: code ?? -1,
        out: String(Buffer.concat(out)),
        err: String(Buffer.concat(err)),
      }),
    )
  })
}

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content)
  return name
}

describe('without a server', () => {
  test('a command says that there is no server and what to do', async () => {
    const { code, err } = await scopegate('client', 'list')
    assert.equal(code, 1)
    assert.match(err, /no server to talk to/)
    assert.match(err, /fix: .*scopegate up/)
  })

  test('with --json the error is JSON too', async () => {
    const { err } = await scopegate('client', 'list', '--json')
    assert.equal(JSON.parse(err).error.what, 'no server to talk to')
  })

  test('config check reports every problem at once and fails', async () => {
    file('broken.yaml', 'server: { ulr: x }\nlog: { level: loud }\n')
    const { code, err } = await scopegate('config', 'check', '--config', 'broken.yaml')
    assert.equal(code, 1)
    assert.match(err, /broken\.yaml:1 {2}server\.ulr: unknown key[\s\S]*did you mean `url`/)
    assert.match(err, /broken\.yaml:2 {2}log\.level/)
  })

  test('config diff prints what differs from the defaults, references unresolved', async () => {
    file('mine.yaml', 'fhir: { r4: { pageSize: 20 } }\n')
    const { out } = await scopegate('config', 'diff', '--config', 'mine.yaml', '--json')
    assert.deepEqual(JSON.parse(out), { fhir: { r4: { pageSize: 20 } } })
  })

  test('sample data is the same for the same seed', async () => {
    const [one, two] = await Promise.all([scopegate('sample'), scopegate('sample')])
    assert.equal(one.out, two.out)
    assert.equal(one.out.match(/"resourceType":"Observation"/g)?.length, 231)
  })

  test('lab token mints a token, and publishes the public half of its key only', async () => {
    const { out } = await scopegate(
      ...['lab', 'token', '--public-keys', 'public.json', '--scope', 'patient/Observation.rs'],
      ...['--patient', 'p1', '--json'],
    )
    const [, claims = ''] = JSON.parse(out).access_token.split('.')
    assert.equal(JSON.parse(Buffer.from(claims, 'base64url').toString()).patient, 'p1')
    const { keys } = JSON.parse(readFileSync(join(folder, 'public.json'), 'utf8'))
    assert.ok(keys.length > 0 && !('d' in keys[0]))
  })

  const commands = [
    ...['up', 'import', 'explain', 'sample', 'backup', 'restore', 'move', 'lab token'],
    ...['lab entra-v2', 'lab google'],
    ...['client add', 'client list', 'client show', 'client rotate-secret', 'client remove'],
    ...['config check', 'config show', 'config diff', 'audit verify', 'keys list', 'keys rotate'],
    ...['traces', 'client set', 'client kit', 'launch create', 'registration-token create'],
    ...['registration-token list', 'registration-token remove'],
    ...['token', 'connection list', 'connection show', 'connection retry'],
    ...['connection authorize', 'doctor', 'doctor connection'],
  ]
  for (const command of commands) {
    test(`${command} has help with an example, and --json`, async () => {
      const stdout = new PassThrough()
      const { stdin, stderr } = process
      const program = createProgram({ environment: {}, cwd: folder, stdin, stdout, stderr })
      const args = [...command.split(' '), '--help']
      await assert.rejects(program.parseAsync(args, { from: 'user' }), { exitCode: 0 })
      const help = String(stdout.read())
      assert.match(help, /Examples?:/)
      assert.match(help, /--json/)
    })
  }
})

describe('with a server', () => {
  let url = ''
  let server: ReturnType<typeof spawn>
  let log = ''
  let banner = ''

  before(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    server = spawn(
      process.execPath,
      ['--conditions=source', BIN, 'up', '--port', String(port), '--data', 'data'],
      { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    server.stdout?.on('data', (chunk) => {
      log += chunk
    })
    await new Promise<void>((resolve, reject) => {
      server.once('exit', () => reject(new Error(`the server ended:\n${log}${banner}`)))
      server.stderr?.on('data', (chunk) => {
        banner += chunk
        if (banner.includes('Commands such as')) resolve()
      })
    })
  })

  after(async () => {
    if (server.exitCode === null) {
      server.kill('SIGTERM')
      await new Promise((resolve) => server.once('exit', resolve))
    }
    rmSync(folder, { recursive: true, force: true })
  })

  const shell = (line: string) => execFileSync('sh', ['-c', line], { encoding: 'utf8' })

  test('the printed line counts 116 laboratory results, as pasted', () => {
    const line = banner.split('\n').find((text) => text.startsWith('curl')) ?? ''
    assert.equal(JSON.parse(shell(line)).total, 116)
  })

  test('secrets on disk are readable by their owner only', () => {
    for (const name of [
      'data/sample-clients.json',
      'data/master.key',
      'config/scopegate/servers.json',
    ]) {
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
    }
  })

  for (const [scopes, total] of [
    ['system/Observation.rs?category=laboratory', 116],
    ['system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs', 180],
    ['system/Observation.rs', 231],
  ] as const) {
    test(`a client with ${scopes} counts ${total}, by the line that client add returns`, async () => {
      const { out } = await scopegate('client', 'add', 'reader', '--scopes', scopes, '--json')
      const { client_id, client_secret, curl } = JSON.parse(out)
      assert.ok(client_id && client_secret)
      assert.equal(JSON.parse(shell(curl)).total, total)
    })
  }

  test('a client is listed, gets a new secret, and is removed', async () => {
    const { out } = await scopegate(
      'client',
      'add',
      'gone',
      '--scopes',
      'system/Patient.r',
      '--json',
    )
    const { client_id, client_secret } = JSON.parse(out)
    const list = await scopegate('client', 'list', '--json')
    assert.ok(
      JSON.parse(list.out).some((client: typeof client_id) => client.client_id === client_id),
    )
    assert.ok(!list.out.includes(client_secret), 'the secret is shown once')
    const rotated = await scopegate('client', 'rotate-secret', client_id, '--json')
    assert.notEqual(JSON.parse(rotated.out).client_secret, client_secret)
    assert.equal((await scopegate('client', 'remove', client_id)).code, 0)
    const again = await scopegate('client', 'show', client_id)
    assert.equal(again.code, 1)
    assert.match(again.err, /no client/)
  })

  test('a client that has admin scopes is changed like any other, by whoever has them', async () => {
    const scopes = 'system/Patient.r admin/keys.sign'
    const added = await scopegate('client', 'add', 'signs', '--scopes', scopes, '--json')
    const { client_id, client_secret } = JSON.parse(added.out)
    const rotated = await scopegate('client', 'rotate-secret', client_id, '--json')
    assert.equal(rotated.code, 0, rotated.err)
    assert.notEqual(JSON.parse(rotated.out).client_secret, client_secret)
    const set = await scopegate('client', 'set', client_id, '--name', 'Signs', '--json')
    assert.equal(set.code, 0, set.err)
    assert.deepEqual([JSON.parse(set.out).name, JSON.parse(set.out).scopes], ['Signs', scopes])
  })

  test('a scope that cannot be granted is refused with the reason', async () => {
    const { code, err } = await scopegate('client', 'add', 'x', '--scopes', 'user/Patient.rs')
    assert.equal(code, 1)
    assert.match(err, /client credentials/)
  })

  test('explain prints the ordered checks and exits 2 on refusal', async () => {
    const claims = '{"scope":"system/Observation.r"}'
    const refused = await scopegate('explain', '--claims', claims, 'GET', '/fhir/r4/Observation')
    assert.equal(refused.code, 2)
    assert.match(refused.out, /✗ interaction +expected Observation\.s/)
    assert.match(refused.out, /fix: /)
    const found = await scopegate(
      'explain',
      '--claims',
      claims,
      'GET',
      '/fhir/r4/Patient/x',
      '--json',
    )
    assert.equal(JSON.parse(found.out).allowed, false)
    const allowed = await scopegate(
      ...['explain', '--claims', '{"scope":"system/Observation.rs"}', '/fhir/r4/Observation'],
    )
    assert.equal(allowed.code, 0, allowed.out)
  })

  test('explain refuses claims that are no object, and a file that is not there', async () => {
    const list = await scopegate('explain', '--claims', '[]', '/fhir/r4/Observation')
    assert.equal(list.code, 1)
    assert.match(list.err, /not a JSON object/)
    for (const flags of [['--token-file'], ['--claims', '{}', '--body']]) {
      const { code, err } = await scopegate(
        'explain',
        ...flags,
        'absent',
        'POST',
        '/fhir/r4/Patient',
      )
      assert.equal(code, 1)
      assert.match(err, /no such file[\s\S]*fix: /)
    }
  })

  test('explain finds a refused request by its correlation id', async () => {
    const answer = await fetch(`${url}/fhir/r4/Patient`)
    assert.equal(answer.status, 401)
    const id = answer.headers.get('x-request-id') ?? ''
    const { code, out } = await scopegate('explain', '--id', id)
    assert.equal(code, 2)
    assert.match(out, /✗ token_present/)
  })

  const patient = (id: string, more = '') => `{"resourceType":"Patient","id":"${id}"${more}}`

  test('a refused token request is found by correlation id, client and outcome, and explained', async () => {
    const { out } = await scopegate(
      'client',
      'add',
      'typo',
      '--scopes',
      'system/Patient.r',
      '--json',
    )
    const { client_id, client_secret } = JSON.parse(out)
    const wrong = `${client_secret}X`
    const refused = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${wrong}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { correlation_id: id } = (await refused.json()) as { correlation_id: string }
    assert.equal(refused.status, 401)
    for (const by of [
      ['--id', id],
      ['--client', client_id],
      ['--outcome', 'refused', '--limit', '500'],
    ]) {
      const found = await scopegate('traces', ...by, '--json')
      const trace = JSON.parse(found.out).find(
        ({ correlationId }: { correlationId: string }) => correlationId === id,
      )
      assert.deepEqual([trace.clientId, trace.status, trace.path], [client_id, 401, '/oauth/token'])
      assert.ok(!found.out.includes(client_secret))
    }
    const explained = await scopegate('explain', '--id', id)
    assert.equal(explained.code, 2)
    assert.match(explained.out, /✓ client\n✗ credential\n +Wrong secret \(secret_wrong\)\n +fix: /)
    const table = await scopegate('traces', '--id', id)
    assert.match(table.out, new RegExp(`401 +secret_wrong +${client_id} +${id} +POST /oauth/token`))
    const line = log.split('\n').find((text) => text.includes(id) && text.includes('token request'))
    assert.equal(JSON.parse(line ?? '').code, 'secret_wrong')
    assert.ok(!log.includes(client_secret))
    assert.ok(!log.includes(btoa(`${client_id}:${wrong}`)))
  })

  test('keys rotate, and tokens from before and after both work', async () => {
    const { out } = await scopegate(
      'client',
      'add',
      'keys',
      '--scopes',
      'system/Patient.rs',
      '--json',
    )
    const { client_id, client_secret } = JSON.parse(out)
    const token = async () => {
      const response = await fetch(`${url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }),
      })
      return ((await response.json()) as { access_token: string }).access_token
    }
    const kidOf = (jwt: string) => JSON.parse(atob(jwt.split('.')[0] ?? '')).kid
    const before = await token()
    const rotated = JSON.parse((await scopegate('keys', 'rotate', '--json')).out)
    const later = await token()
    assert.deepEqual([kidOf(before), kidOf(later)], [rotated.retired, rotated.kid])
    for (const bearer of [before, later]) {
      const read = await fetch(`${url}/fhir/r4/Patient?_summary=count`, {
        headers: { authorization: `Bearer ${bearer}` },
      })
      assert.equal(read.status, 200)
    }
    const { out: listed } = await scopegate('keys', 'list', '--json')
    const keys: { alg: string; state: string }[] = JSON.parse(listed)
    // Those of access tokens and those of ID tokens.
    for (const alg of ['ES256', 'RS256']) {
      const states = keys.filter((key) => key.alg === alg).map(({ state }) => state)
      assert.deepEqual(states.sort(), ['current', 'next', 'retired'])
    }
    assert.ok(!listed.includes('"d"'))
  })

  test('an import goes on after a refused line, and a second one changes nothing', async () => {
    const name = file(
      'some.ndjson',
      [patient('i1'), patient('i2', ',"birthDate":"yesterday"'), '{ broken', patient('i3')].join(
        '\n',
      ),
    )
    const first = await scopegate('import', name)
    assert.equal(first.code, 1)
    assert.match(first.err, /some\.ndjson:2: .*birthDate/)
    assert.match(first.err, /some\.ndjson:3: /)
    const second = JSON.parse((await scopegate('import', name, '--json')).out)
    assert.deepEqual([second.in, second.unchanged, second.refused], [0, 2, 2])
    assert.deepEqual(second.types.Patient, { in: 0, unchanged: 2, refused: 1 })
  })

  test('of a truncated gzip file every whole line stays, and the error says so', async () => {
    const lines = Array.from({ length: 5000 }, (_, n) =>
      patient(`t${n}`, `,"active":${n % 2 === 0}`),
    )
    const name = file('cut.ndjson.gz', gzipSync(`${lines.join('\n')}\n`))
    truncateSync(join(folder, name), Math.floor(statSync(join(folder, name)).size / 2))
    const { code, out } = await scopegate('import', name, '--json')
    assert.equal(code, 1)
    const report = JSON.parse(out)
    assert.ok(report.in > 1000 && report.in < 5000, String(report.in))
    assert.equal(report.refused, 0, 'the half line at the end is not sent')
    assert.match(report.problems[0].why, /truncated/)
  })

  test('a Bundle over many lines is taken apart, decimals as written', async () => {
    const name = file(
      'bundle.json',
      `{
  "resourceType": "Bundle", "type": "collection",
  "entry": [
    { "fullUrl": "urn:uuid:b1", "resource": { "resourceType": "Patient" } },
    { "resource": { "resourceType": "Observation", "id": "b2", "status": "final",
        "code": { "text": "x" }, "subject": { "reference": "urn:uuid:b1" },
        "valueQuantity": { "value": 1.500 } } }
  ]
}`,
    )
    const { code, out, err } = await scopegate('import', name, '--json')
    assert.equal(code, 0, out + err)
    const added = await scopegate('client', 'add', 'all', '--scopes', 'system/*.rs', '--json')
    const line = JSON.parse(added.out).curl.replace(/[^/]*\?_summary=count/, 'Observation/b2')
    const body = shell(line)
    assert.match(body, /1\.500/)
    assert.match(body, /"Patient\/b1"/)
  })

  test('a backup is made while the server runs, and restores into an empty folder', async () => {
    const made = await scopegate('backup', 'all.backup', '--data', 'data', '--json')
    assert.equal(made.code, 0, made.err)
    const restored = await scopegate('restore', 'all.backup', '--data', 'restored', '--json')
    assert.equal(restored.code, 0, restored.err)
    assert.equal(JSON.parse(restored.out).rows, JSON.parse(made.out).rows)
  })

  test('the audit verifies', async () => {
    const { code, out } = await scopegate('audit', 'verify', '--json')
    assert.equal(code, 0, out)
    assert.ok(JSON.parse(out).entries > 5)
  })

  test('the landing page shows what runs and a refusal, without script and patient data', async () => {
    const answer = await fetch(url)
    const page = await answer.text()
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.match(page, /Observation/)
    assert.match(page, /<li class="fail">/)
    assert.ok(!/<script|javascript:|https?:\/\/(?!127\.0\.0\.1)/.test(page))
  })

  test('its links open refused requests from both sides, found under their id afterwards', async () => {
    const landing = await (await fetch(url)).text()
    const links = [...landing.matchAll(/href="(\/\?refused=[a-z-]+)"/g)].map(([, link]) => link)
    assert.equal(links.length, 3)
    for (const link of links) {
      const page = await (await fetch(`${url}${link}`)).text()
      assert.match(page, /refused with 40[13]/)
      assert.match(page, /<li class="fail">/)
      assert.ok(!/<script|javascript:/.test(page))
      const [, id] = /explain --id ([\w-]+)/.exec(page) ?? []
      assert.equal(id === undefined, link?.endsWith('=scope'))
      if (id === undefined) continue
      const { out } = await scopegate('explain', '--url', url, '--id', id)
      assert.match(out, /token_missing|algorithm_none/)
    }
    const other = await (await fetch(`${url}/?refused=nothing`)).text()
    assert.match(other, /What to try/)
  })

  test('health, readiness and metrics answer', async () => {
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal(await (await fetch(`${url}/readyz`)).text(), 'ready\n')
    const metrics = await (await fetch(`${url}/metrics`)).text()
    assert.match(metrics, /scopegate_http_requests_total\{route="fhir",method="GET",status="401"\}/)
  })

  test('a second server on the same data directory names the first', async () => {
    const port = await freePort()
    const { code, err } = await scopegate('up', '--data', 'data', '--port', String(port))
    assert.equal(code, 1)
    assert.ok(err.includes(url), err)
  })

  test('an occupied port is a clear error', async () => {
    const { code, err } = await scopegate('up', '--data', 'other', '--port', new URL(url).port)
    assert.equal(code, 1)
    assert.match(err, /already taken/)
  })

  test('logs are JSON lines, hold the correlation id, and no secret', async () => {
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.ok(lines.some(({ correlationId, status }) => correlationId && status === 401))
    const { clients } = JSON.parse(readFileSync(join(folder, 'data/sample-clients.json'), 'utf8'))
    for (const { clientSecret } of clients) assert.ok(!log.includes(clientSecret))
  })

  test('SIGTERM ends it cleanly', async () => {
    server.kill('SIGTERM')
    const code = await new Promise((resolve) => server.once('exit', resolve))
    assert.equal(code, 0)
    assert.match(log, /"msg":"stopped"/)
  })
})
