import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, describe, test } from 'node:test'
import { createLabKey, freePort, serveLabResource, serveLabTokenServer } from '@scopegate/lab'
import { readConfig } from '@scopegate/server'
import { createOperator } from './operating/operator.ts'
import { openSmartServer } from './support/open-smart-server.ts'
import { openUpstream } from './support/upstream.ts'

// The sidecar in the whole product: from the configuration to the upstream, with tokens of a
// provider; the same tokens for an API of the gateway.
const SECRET = 'the-secret-of-the-lab-connection'
const lab = await serveLabTokenServer({ keys: [createLabKey('ES256')] })
const resource = await serveLabResource({ tokens: lab })
const ownPort = await freePort()

const connection = (name: string, more: readonly string[] = []) =>
  `  - name: ${name}
    tokenEndpoint: ${lab.tokenEndpoint}
    clientId: lab-reader
    authentication: { method: client_secret_basic, secrets: [env:LAB_SECRET] }
    scopes: [system/Patient.rs]
    upstream: ${resource.url}
${more.map((line) => `    ${line}\n`).join('')}`

const server = await openSmartServer({
  withoutSample: true,
  environment: { LAB_SECRET: SECRET },
  yaml: `connections:
${connection('lab', ['paths: [/Patient/*]'])}
apis:
  - name: results
    path: /results
    upstream: ${resource.url}
    routes: [{ path: "/*", scopes: [results.read] }]
    forward: { token: { connection: lab }, headers: { X-User: client } }
`,
})
const shared = await openSmartServer({
  withoutSample: true,
  environment: { LAB_SECRET: SECRET },
  yaml: `sidecar: { listen: "127.0.0.1:${ownPort}", callersOnLoopback: authenticated }
connections:
${connection('lab', ['callers: [app-1]'])}
`,
})
after(async () => {
  await server.close()
  await shared.close()
  await lab.close()
  await resource.close()
})

const out = (path: string, init?: RequestInit) => fetch(`${server.url}/out/${path}`, init)

test('a program calls the upstream and never thinks about tokens; the trace tells the way', async () => {
  resource.forget()
  const answer = await out('lab/Patient/1')
  assert.equal(answer.status, 200)
  await answer.text()
  const [seen] = resource.requests
  assert.equal(seen?.authorizations, 1)
  const id = answer.headers.get('x-request-id')
  const { traces } = await server.admin<{ traces: readonly Record<string, unknown>[] }>(
    'GET',
    `/traces?correlation_id=${id}`,
  )
  const [trace] = traces
  assert.ok(trace)
  assert.equal(trace.endpoint, `${server.url}/out/lab`)
  assert.equal(trace.path, '/out/lab/Patient/…')
  assert.equal(trace.tokenFingerprint, seen?.tokenFingerprint)
  const { origin, attempts, status } = trace.upstream as Record<string, unknown>
  assert.deepEqual({ origin, attempts, status }, { origin: resource.url, attempts: 1, status: 200 })
})

test('what the connection does not allow is refused, and what there is not, is not there', async () => {
  resource.forget()
  assert.equal((await out('lab/admin')).status, 403)
  assert.equal((await out('other/Patient/1')).status, 404)
  const page = await out('lab/Patient/1', { headers: { 'sec-fetch-site': 'cross-site' } })
  assert.equal(page.status, 403)
  assert.equal(resource.requests.length, 0)
})

describe('an API of the gateway whose upstream gets the token of a connection', async () => {
  const app = await server.app({
    scopes: 'results.read',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const call = async (path: string, init: RequestInit = {}) => {
    const { json } = await app.clientCredentials('results.read', {
      set: { resource: `${server.url}/results` },
    })
    return fetch(`${server.url}/results${path}`, {
      ...init,
      headers: { authorization: `Bearer ${json.access_token}` },
    })
  }

  test('gives it that token alone, and says who calls', async () => {
    resource.forget()
    const answer = await call('/Patient/1')
    assert.equal(answer.status, 200)
    await answer.text()
    const [seen] = resource.requests
    assert.equal(seen?.authorizations, 1)
    assert.equal(seen?.status, 200)
    assert.equal(seen?.headers['x-user'], app.clientId)
  })

  test('a token that the upstream refuses is renewed, and the body sent again', async () => {
    await (await call('/Patient/1')).text()
    lab.revokeAccessTokens()
    resource.forget()
    const answer = await call('/Patient', { method: 'POST', body: 'x'.repeat(50_000) })
    assert.equal(answer.status, 200)
    await answer.text()
    assert.deepEqual(
      resource.requests.map(({ status }) => status),
      [401, 200],
    )
    assert.equal(resource.requests.at(-1)?.bodyBytes, 50_000)
  })

  test('shows that token to nobody: TRACE is refused', async () => {
    resource.forget()
    const { port } = new URL(server.url)
    const { json } = await app.clientCredentials('results.read', {
      set: { resource: `${server.url}/results` },
    })
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1').on('error', reject)
      socket.once('data', (chunk) => resolve(String(chunk)))
      socket.write(
        `TRACE /results/Patient/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${json.access_token}\r\nConnection: close\r\n\r\n`,
      )
    })
    assert.match(answer, /^HTTP\/1\.1 405 /)
    assert.equal(resource.requests.length, 0)
  })

  test('that stays refused is no fault of the caller: 502, not 401', async () => {
    resource.refusals = Number.POSITIVE_INFINITY
    const answer = await call('/Patient/1')
    resource.refusals = 0
    assert.equal(answer.status, 502)
    assert.equal(answer.headers.get('www-authenticate'), null)
    assert.equal(((await answer.json()) as { code: string }).code, 'upstream_token_rejected')
  })

  test('without a token nothing is sent: 502 or 503 with a reason, for the gateway and the sidecar', async () => {
    lab.revokeAccessTokens()
    lab.conditions.outage = 'unavailable'
    // The token that is there is refused once, and there is no other.
    await (await out('lab/Patient/1')).text()
    resource.forget()
    const viaApi = await call('/Patient/1')
    const viaOut = await out('lab/Patient/1')
    lab.conditions.outage = undefined
    assert.equal(resource.requests.length, 0)
    assert.equal(viaApi.status, 503)
    assert.equal(((await viaApi.json()) as { code: string }).code, 'upstream_token_delayed')
    assert.equal(viaOut.status, 503)
    assert.ok(Number(viaOut.headers.get('retry-after')) > 0)
    assert.match(viaOut.headers.get('scopegate-diagnosis') ?? '', /^no_token; reason=/)
    await server.admin('POST', '/connections/lab/retry', {})
    assert.equal((await out('lab/Patient/1')).status, 200)
  })
})

describe('a sidecar with an address of its own, for callers who say who they are', async () => {
  const app = await shared.app({
    scopes: 'connections.use',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const other = await shared.app({
    scopes: 'connections.use',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const call = (token: string | undefined) =>
    fetch(`http://127.0.0.1:${ownPort}/out/lab/Patient/1`, {
      headers: { ...(token && { 'scopegate-authorization': `Bearer ${token}` }) },
    })
  const tokenOf = async (of: typeof app) =>
    (await of.clientCredentials('connections.use', { set: { resource: `${shared.url}/out/lab` } }))
      .json.access_token

  test('is not served beside everything else', async () => {
    assert.equal((await fetch(`${shared.url}/out/lab/Patient/1`)).status, 404)
    assert.equal((await fetch(`http://127.0.0.1:${ownPort}/healthz`)).status, 404)
  })

  test('takes tokens of this server, of clients that the connection lists', async () => {
    resource.forget()
    assert.equal(app.clientId, 'app-1')
    assert.equal((await call(undefined)).status, 401)
    const refused = await call(await tokenOf(other))
    assert.equal(refused.status, 403)
    assert.equal(((await refused.json()) as { code: string }).code, 'connection_caller_unknown')
    assert.equal(resource.requests.length, 0)
    const permitted = await call(await tokenOf(app))
    assert.equal(permitted.status, 200)
    await permitted.text()
    assert.equal(resource.requests[0]?.headers['scopegate-authorization'], undefined)
  })
})

test('a change of the configuration is in force for the next request', async () => {
  const original = readFileSync(server.configFile, 'utf8')
  const write = (text: string) => {
    writeFileSync(`${server.configFile}.new`, text)
    renameSync(`${server.configFile}.new`, server.configFile)
  }
  const elsewhere = await openUpstream()
  write(original.replace('paths: [/Patient/*]', 'paths: [/metadata]'))
  await server.reload()
  assert.equal((await out('lab/Patient/1')).status, 403)
  assert.equal((await out('lab/metadata')).status, 200)
  write(original.replace(`upstream: ${resource.url}`, `upstream: ${elsewhere.url}`))
  await server.reload()
  await (await out('lab/Patient/1')).text()
  assert.match(elsewhere.seen.at(-1)?.headers.authorization ?? '', /^Bearer /)
  write(original.replace(/connections:\n[\s\S]*?apis:[\s\S]*$/, ''))
  await server.reload()
  assert.equal((await out('lab/Patient/1')).status, 404)
  write(original)
  await server.reload()
  await elsewhere.close()
})

describe('where it would be unsafe, the configuration is refused', () => {
  const folder = createOperator()
  const problemsOf = (name: string, yaml: string) => {
    const configFile = folder.path(folder.file(name, yaml))
    try {
      readConfig({ configFile }, { LAB_SECRET: SECRET })
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  const lines = (upstream: string) =>
    `connections:\n${connection('lab').replace(resource.url, upstream)}`

  for (const [name, yaml, problem] of [
    [
      'a server that others reach, without an address for the sidecar',
      `server: { url: "https://gate.example", behindTlsProxy: true }\n${lines('https://fhir.example')}`,
      /can be reached from elsewhere[\s\S]*listen: 127\.0\.0\.1:8079/,
    ],
    [
      'a server behind a declared proxy, without one',
      `server: { trustedProxies: [10.0.0.1] }\n${lines('https://fhir.example')}`,
      /can be reached from elsewhere/,
    ],
    [
      'a token that would travel in the clear',
      lines('http://fhir.example/r4'),
      /travel in the clear/,
    ],
    ['an upstream with a query', lines('https://fhir.example/r4?x=1'), /query or fragment/],
    [
      'a sidecar for the network without TLS',
      `sidecar: { listen: "0.0.0.0:8079" }\n${lines('https://fhir.example')}`,
      /plain http would be served off loopback/,
    ],
    [
      'paths that are no patterns',
      lines('https://fhir.example').concat('    paths: ["Patient/*", "/a*b", "/../x"]\n'),
      /does not begin with a slash[\s\S]*whole last segment[\s\S]*dot segment/,
    ],
    [
      'a method that shows the token',
      lines('https://fhir.example').concat('    methods: [TRACE]\n'),
      /methods/,
    ],
    [
      'an API in the place of the sidecar, or with a connection that is not there',
      `apis: [{ name: a, path: /out/x, upstream: "http://127.0.0.1:1", routes: [{ path: /* }], forward: { token: { connection: lob } } }]\n${lines('https://fhir.example')}`,
      /`\/out` is answered by this server itself[\s\S]*did you mean `lab`/,
    ],
  ] as const) {
    test(name, () => assert.match(problemsOf(`${name}.yaml`, yaml), problem))
  }

  test('and where it is safe, it is taken', () => {
    assert.equal(
      problemsOf(
        'safe.yaml',
        `server: { url: "https://gate.example", behindTlsProxy: true }\nsidecar: { listen: "127.0.0.1:8079", plainHttpHosts: [fhir.internal] }\n${lines('http://fhir.internal/r4')}`,
      ),
      '',
    )
  })
})

test('SIGTERM lets a request through the sidecar end, and the process with it', async () => {
  let release = (): void => {}
  const slow = await openUpstream((_request, response) => {
    response.writeHead(200)
    response.write('first')
    release = () => {
      response.end('last')
    }
  })
  const operator = createOperator()
  const port = await freePort()
  operator.file(
    'scopegate.yaml',
    `server: { drainSeconds: 30 }\nsidecar: { listen: "127.0.0.1:${port}" }\nconnections:\n${connection('lab').replace(`upstream: ${resource.url}`, `upstream: ${slow.url}`)}`,
  )
  const running = await operator.up({ env: { LAB_SECRET: SECRET }, sample: false })
  const answer = await fetch(`http://127.0.0.1:${port}/out/lab/x`)
  assert.equal(answer.status, 200)
  const body = answer.text()
  const stopped = running.stop()
  await new Promise((resolve) => setTimeout(resolve, 300))
  release()
  assert.equal(await body, 'firstlast')
  assert.equal(await stopped, 0)
  await slow.close()
})
