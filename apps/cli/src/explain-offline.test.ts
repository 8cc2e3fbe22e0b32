import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { runCli } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-explain-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const GUID = '11111111-1111-4111-8111-111111111111'
const FHIR = 'https://fhir.example/fhir/r4'
const idp = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('ES256')] })

writeFileSync(join(folder, 'keys.json'), JSON.stringify(idp.keySet))
writeFileSync(
  join(folder, 'scopegate.yaml'),
  `server: { url: "https://fhir.example", behindTlsProxy: true }
issuers:
  - { issuer: https://idp.example }
fhir: { r4: { trust: [self, https://idp.example], audiences: [${GUID}] } }
apis:
  - name: bank
    path: /bank
    upstream: http://127.0.0.1:9
    auth: { audiences: [bank-demo] }
    routes:
      - { path: /transfer, methods: [POST], scopes: [bank.transfer.write] }
      - { path: "/public/*", public: true }
`,
)

interface Told {
  readonly allowed: boolean
  readonly status: number
  readonly checks: readonly { name: string; outcome: string; code?: string; got?: string }[]
  readonly notes: readonly string[]
}

async function scopegate<Answer = Told>(...args: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const context = { environment: {}, cwd: folder, stdin: process.stdin, stdout, stderr }
  const code = await runCli([...args, '--json'], context)
  process.exitCode = 0
  const text = String(stdout.read() ?? '')
  return { code, err: String(stderr.read() ?? ''), told: JSON.parse(text || 'null') as Answer }
}

const explain = (token: string, ...more: string[]) =>
  scopegate('explain', '--offline', '--token', token, ...more)
const check = ({ checks }: Told, name: string) => checks.find((each) => each.name === name)

test('with a configuration and a token all but the signature is judged, and that is said', async () => {
  const token = idp.mintToken({ audience: GUID, scope: 'system/Observation.rs' })
  const { code, told } = await explain(token, 'GET', '/fhir/r4/Observation')
  assert.deepEqual([code, told.allowed, told.status], [0, true, 200])
  assert.equal(check(told, 'signature')?.outcome, 'skipped')
  assert.match(check(told, 'signature')?.got ?? '', /not checked/)
  assert.equal(check(told, 'audience')?.outcome, 'pass')
  assert.match(told.notes.join('\n'), /--keys/)

  const other = idp.mintToken({ audience: 'https://other.example', scope: 'system/*.rs' })
  const wrong = await explain(other, 'GET', `${FHIR}/Observation`)
  assert.deepEqual([wrong.code, wrong.told.status], [2, 401])
  assert.equal(check(wrong.told, 'audience')?.code, 'audience_mismatch')
  assert.ok(!JSON.stringify(wrong.told).includes(other))
})

test('with keys the signature is judged too', async () => {
  const good = idp.mintToken({ audience: FHIR, scope: 'system/*.rs' })
  const { told } = await explain(good, '--keys', 'keys.json', 'GET', '/fhir/r4/Patient')
  assert.equal(check(told, 'signature')?.outcome, 'pass')
  const forged = idp.wrong.forged({ audience: FHIR, scope: 'system/*.rs' })
  const bad = await explain(forged, '--keys', 'keys.json', 'GET', '/fhir/r4/Patient')
  assert.equal(bad.told.status, 401)
  const broken = await explain(good, '--keys', 'scopegate.yaml', 'GET', '/fhir/r4/Patient')
  assert.match(broken.err, /--keys is not JSON/)
})

test('what needs no key is never excused: unsigned, symmetric, expired, of an unknown issuer', async () => {
  const wish = { audience: FHIR, scope: 'system/*.rs' }
  for (const how of ['unsigned', 'hmacWithPublicKey', 'expired', 'idToken'] as const) {
    const { told } = await explain(idp.wrong[how](wish), 'GET', '/fhir/r4/Patient')
    assert.equal(told.status, 401, how)
  }
  const foreign = createLabIssuer({ issuer: 'https://evil.example', keys: [createLabKey('ES256')] })
  const { told } = await explain(foreign.mintToken(wish), 'GET', '/fhir/r4/Patient')
  assert.equal(check(told, 'issuer_known')?.code, 'issuer_unknown')
})

test('an API is explained by its routes, and what a request would need is told', async () => {
  const claims = JSON.stringify({ scope: 'bank.balance.read', aud: 'bank-demo' })
  const asked = ['explain', '--offline', '--claims', claims]
  const refused = await scopegate(...asked, 'POST', '/bank/transfer')
  assert.deepEqual([refused.code, refused.told.status], [2, 403])
  assert.equal(check(refused.told, 'scopes')?.code, 'api_scope_missing')
  const open = await scopegate(...asked, 'GET', '/bank/public/x')
  assert.equal(open.told.allowed, true)
  const absent = await scopegate(...asked, 'GET', '/bank/nothing')
  assert.deepEqual(
    [absent.told.allowed, check(absent.told, 'route')?.code],
    [false, 'route_absent'],
  )

  interface Needed {
    readonly scopes: readonly { scopes: readonly string[] }[]
    readonly audiences: readonly string[]
    readonly settings: object
  }
  const needs = await scopegate<Needed>('explain', '--offline', '--needs', 'POST', '/bank/transfer')
  assert.deepEqual(needs.told.scopes[0]?.scopes, ['bank.transfer.write'])
  assert.ok(needs.told.audiences.includes('bank-demo'))
  const fhir = await scopegate<Needed>('explain', '--offline', '--needs', '/fhir/r4/Patient/1')
  assert.deepEqual(fhir.told.audiences, [FHIR, GUID])
  assert.ok(fhir.told.scopes.some(({ scopes }) => scopes.join() === 'patient/Patient.r'))
})

test('data are not at hand: an instance is not said to be absent', async () => {
  const token = idp.mintToken({ audience: FHIR, scope: 'system/Patient.r' })
  const { told } = await explain(token, 'GET', '/fhir/r4/Patient/nobody')
  assert.equal(told.allowed, true)
  assert.match(told.notes.join('\n'), /no data at hand/)
})
