import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { createLabIssuer, createLabKey, freePort } from '@scopegate/lab'
import { runCli } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-doctor-'))
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Report {
  readonly outcome: string
  readonly findings: readonly {
    subject: string
    check: string
    outcome: string
    found: string
    fix?: string
  }[]
}

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An issuer that says of itself what it is told to. */
function issuerServer(
  metadata: (own: string) => Record<string, unknown>,
  more: { keySet?: unknown; date?: string } = {},
): Promise<string> {
  const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('ES256')] })
  return listen((request, response) => {
    if (more.date) response.setHeader('date', more.date)
    const own = `http://${request.headers.host}`
    const body = request.url?.startsWith('/keys')
      ? (more.keySet ?? lab.keySet)
      : { jwks_uri: `${own}/keys`, ...metadata(own) }
    response.end(JSON.stringify(body))
  })
}

async function doctor(yaml: string, ...args: string[]) {
  const port = await freePort()
  writeFileSync(
    join(folder, 'scopegate.yaml'),
    yaml.includes('server:') ? yaml : `server: { url: "http://127.0.0.1:${port}" }\n${yaml}`,
  )
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const environment = { SECRET: 'a-very-secret-value-of-32-characters' }
  const context = { environment, cwd: folder, stdin: process.stdin, stdout, stderr }
  const code = await runCli(['doctor', ...args], context)
  process.exitCode = 0
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

async function report(yaml: string, ...args: string[]) {
  const { code, out } = await doctor(yaml, '--json', ...args)
  const { findings, outcome } = JSON.parse(out) as Report
  const find = (check: string, subject = 'issuer') =>
    findings.find((each) => each.check === check && each.subject.startsWith(subject))
  return { code, outcome, find, findings, out }
}

const trusting = (issuer: string, more = '') =>
  `issuers: [{ name: idp, issuer: "${issuer}"${more} }]\nfhir: { r4: { trust: [idp] } }\n`

test('all in order: a table, and exit code 0', async () => {
  const issuer = await issuerServer((own) => ({ issuer: own }))
  const { code, out } = await doctor(trusting(issuer))
  assert.equal(code, 0, out)
  assert.match(out, /✓ pass {2}issuer idp +issuer +http/)
  assert.match(out, /✓ pass {2}issuer idp +keys +1 usable/)
  assert.match(out, /port +listen +127\.0\.0\.1:\d+ is free/)
  assert.match(out, /everything is in order/)
})

test('an issuer that spells itself otherwise: both spellings, what differs, what to write', async () => {
  const slash = await report(trusting(await issuerServer((own) => ({ issuer: `${own}/` }))))
  assert.equal(slash.code, 2)
  assert.match(slash.find('issuer')?.found ?? '', /only the final slash differs/)
  assert.match(slash.find('issuer')?.fix ?? '', /write `issuer: http:\/\/127.*\/` in issuers\[0\]/)
  const scheme = await issuerServer((own) => ({ issuer: own.replace('http:', 'https:') }))
  assert.match((await report(trusting(scheme))).find('issuer')?.found ?? '', /the scheme differs/)
  const host = await issuerServer(() => ({ issuer: 'http://keycloak:8080/realms/x' }))
  const other = await report(trusting(host))
  assert.match(other.find('issuer')?.found ?? '', /the host differs/)
  assert.match(other.find('issuer')?.fix ?? '', /backchannelUrl/)
  const alias = await report(trusting(host, ', aliases: ["http://keycloak:8080/realms/x"]'))
  assert.equal(alias.find('issuer')?.outcome, 'pass')
})

test('keys are asked for over the back channel, and nowhere where metadata should not lead', async () => {
  const far = 'http://keycloak:8080/realms/x'
  const near = await issuerServer(() => ({ issuer: far, jwks_uri: `${far}/keys` }))
  const behind = await report(trusting(far, `, backchannelUrl: "${near}"`))
  assert.equal(behind.find('issuer')?.outcome, 'pass')
  assert.match(behind.find('keys')?.found ?? '', /1 usable/)
  for (const [leads, why] of [
    ['http://169.254.169.254/latest/meta-data/', /only https is fetched/],
    ['https://169.254.169.254/latest/meta-data/', /link-local or reserved/],
    ['http://10.0.0.7/keys', /only https is fetched/],
    ['https://somebody:secret@idp.example/keys', /user name or a password/],
    ['file:///etc/passwd', /only https is fetched/],
  ] as const) {
    const { find, code } = await report(
      trusting(await issuerServer((own) => ({ issuer: own, jwks_uri: leads }))),
    )
    assert.equal(code, 2)
    assert.match(find('keys')?.found ?? '', why, leads)
    assert.match(find('keys')?.fix ?? '', /this server does not go there/)
  }
})

test('a directory that many share names no issuer of its own', async () => {
  const shared = await issuerServer((own) => ({
    issuer: `${own}/{tenantid}/v2.0`,
    authorization_endpoint: `${own}/authorize`,
    token_endpoint: `${own}/token`,
  }))
  const login = (tenant: string) => `login:
  providers:
    - { name: entra, preset: entra, issuer: "${shared}/${tenant}/v2.0", tenant: ${tenant}, tenants: [7b5b0f3e-2b1a-4a55-9c07-3d1f4e7a9c10], clientId: app, secret: env:SECRET }
`
  for (const tenant of ['common', 'organizations']) {
    const { find } = await report(login(tenant))
    assert.equal(find('issuer', 'login entra')?.outcome, 'pass', tenant)
  }
})

test('clocks that differ, keys that do not serve, discovery that is none', async () => {
  const late = new Date(Date.now() - 600_000).toUTCString()
  const clock = await report(
    trusting(await issuerServer((own) => ({ issuer: own }), { date: late })),
  )
  assert.equal(clock.find('clock')?.outcome, 'fail')
  assert.match(clock.find('clock')?.found ?? '', /behind this server/)
  assert.match(clock.find('clock')?.fix ?? '', /NTP/)

  const own = (keySet: unknown) =>
    issuerServer((issuer) => ({ issuer }), { keySet })
      .then(trusting)
      .then(report)
  assert.match((await own({ keys: [] })).find('keys')?.found ?? '', /0 keys/)
  const key = createLabIssuer({ issuer: 'https://x.example', keys: [createLabKey('ES256')] })
  const [jwk] = key.keySet.keys
  const twice = await own({ keys: [jwk, jwk] })
  assert.match(twice.find('keys')?.found ?? '', /two keys have the `kid`/)

  const html = await listen((_, response) => response.end('<html>'))
  assert.match((await report(trusting(html))).find('discovery')?.found ?? '', /not with JSON/)
})

test('what cannot be reached or does not answer is told within the time limit', async () => {
  const gone = `http://127.0.0.1:${await freePort()}`
  const closed = await report(
    `${trusting(gone)}apis: [{ name: bank, path: /bank, upstream: "${gone}", routes: [{ path: /x }] }]\n`,
  )
  assert.equal(closed.code, 2)
  assert.match(closed.find('discovery')?.found ?? '', /nothing listens there/)
  assert.match(closed.find('upstream', 'api bank')?.fix ?? '', /`upstream` of the API `bank`/)
  const silent = await listen(() => undefined)
  const late = await report(trusting(silent), '--timeout', '0.3')
  assert.match(late.find('answer')?.found ?? '', /none within 0\.3 s/)
})

test('a port that is taken by another program, and a folder that others may read', async () => {
  const taken = new URL(await listen((_, response) => response.end('other')))
  mkdirSync(join(folder, 'open'))
  chmodSync(join(folder, 'open'), 0o755)
  const found = await report(
    `server: { url: "${taken.origin}" }\nstorage: { dir: open }\n`,
    '--timeout',
    '3',
  )
  assert.match(found.find('listen', 'port')?.found ?? '', /taken by another program/)
  if (process.platform !== 'win32') {
    assert.equal(found.find('data directory', 'files')?.outcome, 'warn')
    assert.match(found.find('data directory', 'files')?.fix ?? '', /chmod 700/)
  }
})

test('a broken configuration is a finding per problem; an issuer trusted nowhere a warning', async () => {
  const broken = await report('server: { ulr: x }\nlog: { level: loud }\n')
  assert.deepEqual([broken.code, broken.findings.length], [2, 2])
  assert.match(broken.findings[0]?.fix ?? '', /did you mean `url`/)
  const issuer = await issuerServer((own) => ({ issuer: own }))
  const unused = await report(`issuers: [{ issuer: "${issuer}" }]\n`)
  assert.deepEqual([unused.code, unused.outcome], [1, 'warn'])
  assert.match(unused.find('trust', 'configuration')?.found ?? '', /trusted nowhere/)
})

test('secrets are counted, never shown', async () => {
  const { out, find } = await report(
    'clients: [{ id: reader, secret: env:SECRET, scopes: "system/*.rs" }]\nstorage: { url: env:DATABASE }\n'.replace(
      'storage: { url: env:DATABASE }\n',
      '',
    ),
  )
  assert.match(find('references', 'secrets')?.found ?? '', /1 resolved/)
  assert.ok(!out.includes('a-very-secret'))
})
