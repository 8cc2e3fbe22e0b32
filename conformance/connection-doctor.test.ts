import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ensureLocalCertificate } from '@scopegate/http'
import {
  createLabKey,
  type LabFlavourName,
  type ServedLabTokenServer,
  type ServeLabTokenServerOptions,
  serveLabTokenServer,
  type TokenProblemKind,
} from '@scopegate/lab'
import { type ConnectionReport, examineConfiguredConnection, readConfig } from '@scopegate/server'

const folder = mkdtempSync(join(tmpdir(), 'scopegate-connection-doctor-'))
const open: { close(): unknown }[] = []
after(async () => {
  for (const each of open) await each.close()
  rmSync(folder, { recursive: true, force: true })
})

const key = createLabKey('RS256')
const keyFile = join(folder, 'key.pem')
writeFileSync(
  keyFile,
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey,
)
const SECRET = 'Qm9~the-secret-of-this-connection-7.x'
const API = 'api://aaaaaaaa-0000-4000-8000-000000000001'

async function lab(
  flavour: LabFlavourName = 'generic',
  options: ServeLabTokenServerOptions = {},
): Promise<ServedLabTokenServer> {
  const served = await serveLabTokenServer({ flavour, keys: [key], ...options })
  open.push(served)
  return served
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({
    close() {
      server.closeAllConnections()
      server.close()
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

let files = 0

interface Wish {
  /** Lines of the connection, over the usual ones. */
  readonly lines?: Readonly<Record<string, string>>
  readonly secret?: string
  readonly url?: string
}

async function examine(
  issuer: string,
  { lines = {}, secret = SECRET, url }: Wish = {},
): Promise<ConnectionReport & { step(check: string): ConnectionReport['findings'][number] }> {
  const configFile = join(folder, `scopegate-${++files}.yaml`)
  const members = {
    name: 'lab',
    preset: 'generic',
    issuer: `"${issuer}"`,
    grant: 'client_credentials',
    clientId: 'lab-reader',
    authentication: '{ method: client_secret_basic, secrets: [env:LAB_SECRET] }',
    scopes: '[system/Observation.rs]',
    ...lines,
  }
  const written = Object.entries(members).filter(([, value]) => value !== '')
  writeFileSync(
    configFile,
    `server: { url: "http://127.0.0.1:8080" }\nconnections:\n  - ${written
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n    ')}\n`,
  )
  const report = await examineConfiguredConnection({
    config: readConfig({ configFile }, { LAB_SECRET: secret }),
    ...{ name: 'lab', environment: {}, nowMs: Date.now, timeoutMs: 20_000 },
    ...(url !== undefined && { resourceUrl: url }),
  })
  assert.ok(report, 'the connection is there')
  assert.ok(!JSON.stringify(report).includes(secret), 'the secret is in no report')
  return {
    ...report,
    step(check) {
      const found = report.findings.find((each) => each.check === check)
      assert.ok(found, `no ${check} in ${JSON.stringify(report.findings, null, 1)}`)
      return found
    },
  }
}

describe('a connection that is in order', () => {
  test('every step of its way is told, and no token is shown', async () => {
    const idp = await lab('keycloak', { audience: 'https://fhir.lab.example/r4' })
    const report = await examine(idp.issuer, { lines: { preset: 'keycloak' } })
    assert.equal(report.outcome, 'pass', JSON.stringify(report.findings, null, 1))
    assert.deepEqual(
      [...new Set(report.findings.map(({ check }) => check))].filter(
        (check) => !['roles', 'transport'].includes(check),
      ),
      [
        'configuration',
        'secret',
        'proxy',
        'dns',
        'tcp',
        'discovery',
        'issuer',
        'token endpoint',
        'clock',
        'client authentication',
        'scope',
        'token',
        'contents',
        'aud',
        'iss',
      ],
    )
    assert.match(report.step('secret').found, /env:LAB_SECRET, 37 characters/)
    assert.match(report.step('aud').found, /https:\/\/fhir\.lab\.example\/r4/)
    assert.doesNotMatch(JSON.stringify(report), /eyJ[\w-]+\.eyJ/)
  })

  test('a resource that takes the token is told', async () => {
    const idp = await lab()
    const resource = await listen((request, response) => {
      const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      response.statusCode = idp.readAccessToken(token) === undefined ? 401 : 200
      response.end('{}')
    })
    const report = await examine(idp.issuer, { url: `${resource}/Patient/1` })
    assert.match(report.step('resource').found, /answers 200/)
  })

  test('a path that the sidecar would refuse is told, and which entry allows one', async () => {
    const idp = await lab()
    const resource = await listen((_, response) => response.end('{}'))
    const lines = { upstream: `"${resource}/r4"`, paths: "['/metadata', '/Patient/*']" }
    const at = (path: string) => examine(idp.issuer, { lines, url: `${resource}${path}` })
    const refused = await at('/r4/Observation/1')
    assert.equal(refused.step('sidecar').outcome, 'warn')
    assert.match(
      refused.step('sidecar').found,
      /refuse `\/Observation\/1`: `paths` allows `\/metadata`, `\/Patient\/\*`/,
    )
    assert.match(refused.step('resource').found, /answers 200/)
    const taken = await at('/r4/Patient/1?_count=1')
    assert.equal(taken.step('sidecar').outcome, 'pass')
    assert.match(taken.step('sidecar').found, /`\/Patient\/\*` allows it/)
    const encoded = await at('/r4/Patient/a%2Fb')
    assert.match(encoded.step('sidecar').found, /refuse this address: .* encoded separator/)
    const beside = await at('/other/Observation/1')
    assert.ok(!beside.findings.some(({ check }) => check === 'sidecar'))
  })
})

test('a bound token goes to the resource with its proof, and with the nonce that it wants', async () => {
  const idp = await lab()
  const access_token = 'an-opaque-token-that-is-bound-to-a-key'
  idp.say({ body: { access_token, token_type: 'DPoP', expires_in: 300 } })
  const proofs: { nonce?: string; htu?: string; ath?: string }[] = []
  const resource = await listen((request, response) => {
    const [, claims = ''] = String(request.headers.dpop).split('.')
    proofs.push(JSON.parse(Buffer.from(claims, 'base64url').toString()))
    const isGood =
      proofs.at(-1)?.nonce === 'n-1' && /^DPoP /.test(request.headers.authorization ?? '')
    response.writeHead(isGood ? 200 : 401, {
      'dpop-nonce': 'n-1',
      'www-authenticate': 'DPoP error="use_dpop_nonce"',
    })
    response.end()
  })
  const report = await examine(idp.issuer, {
    lines: { dpop: 'true' },
    url: `${resource}/Patient/1?_summary=count`,
  })
  assert.equal(report.step('resource').outcome, 'pass', JSON.stringify(report.findings))
  assert.match(report.step('token').found, /^DPoP, /)
  assert.equal(proofs.length, 2)
  assert.equal(proofs[1]?.htu, `${resource}/Patient/1`)
  assert.ok(proofs[1]?.ath)
})

describe('a refusal of the provider', () => {
  const cases: readonly [LabFlavourName, string, TokenProblemKind, string, string][] = [
    ['entra-v2', 'entra', 'secret_wrong', 'entra_secret_wrong', 'client authentication'],
    ['entra-v2', 'entra', 'secret_expired', 'entra_secret_expired', 'client authentication'],
    ['entra-v2', 'entra', 'client_unknown', 'entra_app_not_in_tenant', 'client authentication'],
    ['entra-v2', 'entra', 'secret_missing', 'entra_credential_missing', 'client authentication'],
    ['entra-v2', 'entra', 'assertion_names', 'entra_assertion_names', 'client authentication'],
    [
      'keycloak',
      'keycloak',
      'secret_wrong',
      'keycloak_client_credentials',
      'client authentication',
    ],
    ['keycloak', 'keycloak', 'scope_unknown', 'keycloak_scopes', 'scope'],
    ['okta', 'okta', 'dpop_missing', 'okta_dpop_required', 'token'],
    ['okta', 'okta', 'scope_unknown', 'okta_scope_or_policy', 'scope'],
  ]
  for (const [flavour, preset, problem, code, check] of cases) {
    test(`${preset}: ${problem} is explained as ${code}, with what the provider said`, async () => {
      const idp = await lab(flavour)
      idp.problems.add(problem)
      const report = await examine(idp.issuer, {
        lines: { preset, ...(preset === 'entra' && { scopes: `["${API}/.default"]` }) },
      })
      assert.equal(report.outcome, 'fail')
      const failed = report.findings.find(({ outcome }) => outcome === 'fail')
      assert.equal(failed?.code, code, JSON.stringify(failed))
      assert.equal(failed?.check, check)
      assert.match(failed?.found ?? '', /the provider says: /)
      assert.ok(failed?.fix)
    })
  }

  const scripted: readonly [string, object, number, string, ConnectionReport['kind']][] = [
    [
      'epic',
      { error: 'invalid_client', error_description: null },
      400,
      'epic_invalid_client',
      'configuration',
    ],
    [
      'oracle-health',
      {
        error: 'invalid_client',
        error_uri:
          'https://authorization.cerner.com/errors/urn:cerner:error:authorization-server:oauth2:token:invalid-client-credentials/instances/1',
      },
      401,
      'oracle_health_client_credentials',
      'configuration',
    ],
    [
      'google',
      {
        error: 'unauthorized_client',
        error_description:
          'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      },
      401,
      'google_delegation_missing',
      'administration',
    ],
    ['generic', { error: 'temporarily_unavailable' }, 503, 'oauth_server_error', 'temporary'],
    ['generic', {}, 429, 'oauth_rate_limited', 'rate'],
    ['generic', { error: 'never_seen_before' }, 400, 'unknown_provider_error', 'configuration'],
  ]
  for (const [preset, body, status, code, kind] of scripted) {
    test(`${preset}: status ${status} is explained as ${code}, kind ${kind}`, async () => {
      const endpoint = await listen((_request, response) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      })
      const signs = preset === 'epic' || preset === 'google'
      const report = await examine('', {
        lines: {
          ...{ preset, issuer: '', tokenEndpoint: `"${endpoint}/token"` },
          ...(signs && { authentication: `{ privateKey: "file:${keyFile}", keyId: lab-key }` }),
          ...(preset === 'google' && { grant: 'jwt_bearer' }),
        },
      })
      const failed = report.findings.find(({ outcome }) => outcome === 'fail')
      assert.equal(failed?.code, code, JSON.stringify(failed))
      assert.equal(report.kind, kind)
    })
  }
})

describe('what is wrong before the provider has a say', () => {
  test('a Secret ID in place of the secret is told before it is sent', async () => {
    const idp = await lab('entra-v2')
    const report = await examine(idp.issuer, {
      lines: { preset: 'entra', scopes: `["${API}/.default"]` },
      secret: '1c8b41b6-0a2f-4c1c-9d1b-0f5a3f6f7c11',
    })
    const step = report.step('secret')
    assert.equal(step.outcome, 'warn')
    assert.match(step.found, /\*Secret ID\* was pasted/)
    assert.match(step.fix ?? '', /\*Value\*/)
  })

  test('nothing listens: the TCP step says so, and nothing after it is guessed at', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const report = await examine(`http://127.0.0.1:${port}`)
    assert.equal(report.step('tcp').code, 'network_refused')
    assert.equal(report.kind, 'network')
    assert.equal(report.findings.at(-1)?.check, 'tcp')
  })

  test('an authority that is not known: its chain is shown, and `ca` is what helps', async () => {
    const dir = join(folder, 'tls')
    const { caFile, cert, key } = await ensureLocalCertificate({
      ...{ dir, names: [], nowMs: Date.now() },
    })
    const tls = { certificate: cert, key }
    const idp = await lab('generic', { tls })
    const report = await examine(idp.issuer)
    const step = report.step('tls')
    assert.match(step.code ?? '', /^tls_untrusted$/)
    assert.match(step.found, /its chain: .+; names: .*127\.0\.0\.1/)
    assert.match(step.fix ?? '', /set `ca` of `lab`/)
    assert.equal(idp.counts.requests, 0, 'no secret is sent to somebody unknown')
    const known = await examine(idp.issuer, { lines: { ca: `"${caFile}"` } })
    assert.equal(known.step('tls').outcome, 'pass')
    assert.equal(known.step('client authentication').outcome, 'pass')
  })

  test('an issuer that calls itself otherwise is told with both names', async () => {
    const idp = await lab('keycloak', { publicUrl: 'https://idp.example' })
    const report = await examine(`${idp.url}/realms/lab`, { lines: { preset: 'keycloak' } })
    const step = report.step('issuer')
    assert.equal(step.code, 'discovery_issuer_mismatch')
    assert.match(step.found, /https:\/\/idp\.example\/realms\/lab/)
    assert.ok(step.found.includes(idp.url))
  })

  test('a clock that differs is told', async () => {
    const idp = await lab('generic', { now: () => Math.floor(Date.now() / 1000) + 600 })
    const report = await examine(idp.issuer)
    assert.match(report.step('clock').found, /this clock is \d+ s behind the provider's/)
  })

  test('a refresh token is not used up: the server that runs is named', async () => {
    const idp = await lab()
    const report = await examine(idp.issuer, { lines: { grant: 'authorization_code' } })
    assert.match(report.step('token').fix ?? '', /--running/)
    assert.equal(idp.counts.requests, 0)
  })
})

describe('what stands in the token', () => {
  test('an app token of Entra without roles is warned of', async () => {
    const idp = await lab('entra-v2', { roles: [] })
    const report = await examine(idp.issuer, {
      lines: { preset: 'entra', scopes: `["${API}/.default"]` },
    })
    const roles = report.step('roles')
    assert.equal(roles.outcome, 'warn')
    assert.match(roles.fix ?? '', /Application permissions/)
    assert.match(report.step('contents').found, /ver 2\.0/)
  })
})

describe('a refusal of the resource', () => {
  /** Refuses every token so. */
  async function refusing(status: number, challenge?: string, metadata?: object): Promise<string> {
    return listen((request, response) => {
      if (request.url?.includes('/.well-known/')) {
        assert.equal(request.headers.authorization, undefined, 'no token is sent there')
        return void response.end(JSON.stringify(metadata))
      }
      const own = `http://${request.headers.host}`
      response.writeHead(status, {
        ...(challenge && { 'www-authenticate': challenge.replaceAll('OWN', own) }),
      })
      response.end()
    })
  }

  test("Keycloak's userinfo without `openid`: the scope to add is named", async () => {
    const idp = await lab('keycloak')
    const report = await examine(idp.issuer, {
      lines: { preset: 'keycloak', scopes: '[email]' },
      url: `${await refusing(403, 'Bearer realm="lab", error="insufficient_scope", error_description="Missing openid scope"')}/realms/lab/protocol/openid-connect/userinfo`,
    })
    const step = report.step('resource')
    assert.equal(step.code, 'resource_openid_missing')
    assert.match(step.fix ?? '', /add `openid` to `scopes`/)
    assert.match(report.step('challenge').found, /Missing openid scope/)
  })

  test('a missing scope is named: what it asks for against what the token has', async () => {
    const idp = await lab()
    const report = await examine(idp.issuer, {
      url: `${await refusing(403, 'Bearer error="insufficient_scope", scope="system/Observation.rs system/Patient.rs"')}/Patient/1`,
    })
    assert.match(report.step('needed scope').found, /lacks `system\/Patient\.rs`/)
    assert.equal(report.step('resource').code, 'resource_insufficient_scope')
    assert.equal(report.kind, 'permission')
  })

  test('the audience that the resource expects is read from what it says of itself', async () => {
    const idp = await lab('keycloak', { audience: 'https://other.example' })
    const challenge =
      'Bearer error="invalid_token", error_description="The audience is invalid", resource_metadata="OWN/.well-known/oauth-protected-resource"'
    const url = await refusing(401, challenge, {
      resource: 'https://fhir.lab.example/r4',
      authorization_servers: ['https://idp.example/realms/lab'],
    })
    const report = await examine(idp.issuer, { lines: { preset: 'keycloak' }, url: `${url}/x` })
    assert.equal(report.step('resource').code, 'resource_other_audience')
    assert.match(report.step('expected aud').found, /https:\/\/fhir\.lab\.example\/r4/)
    assert.match(report.step('expected iss').found, /https:\/\/idp\.example\/realms\/lab/)
  })

  test('a bare 401 is explained by the claims', async () => {
    const idp = await lab('keycloak', { audience: 'https://graph.example' })
    const report = await examine(idp.issuer, {
      lines: { preset: 'keycloak' },
      url: `${await refusing(401)}/Patient/1`,
    })
    assert.equal(report.step('resource').code, 'resource_other_audience')
  })

  test('a resource that fails by itself is not blamed on the token', async () => {
    const idp = await lab()
    const report = await examine(idp.issuer, { url: `${await refusing(500)}/Patient/1` })
    assert.equal(report.step('resource').code, 'resource_failed')
    assert.equal(report.kind, 'temporary')
  })
})
