import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { createLabKey, freePort, serveLabResource, serveLabTokenServer } from '@scopegate/lab'
import { openSmartServer } from './support/open-smart-server.ts'
import { openWebSocket } from './support/web-socket.ts'

// `limits.authenticationFailuresPerMinute` wherever tokens are looked at, in the whole product.
const lab = await serveLabTokenServer({ keys: [createLabKey('ES256')] })
const resource = await serveLabResource({ tokens: lab })
const ownPort = await freePort()
const LIMIT = 4
const server = await openSmartServer({
  withoutSample: true,
  environment: { LAB_SECRET: 'the-secret-of-the-lab-connection' },
  yaml: `sidecar: { listen: "127.0.0.1:${ownPort}", callersOnLoopback: authenticated }
connections:
  - name: lab
    tokenEndpoint: ${lab.tokenEndpoint}
    clientId: lab-reader
    authentication: { method: client_secret_basic, secrets: [env:LAB_SECRET] }
    scopes: [system/Patient.rs]
    upstream: ${resource.url}
    callers: [app-1]
apis:
  - name: results
    path: /results
    upstream: ${resource.url}
    routes: [{ path: "/*", scopes: [results.read] }]
    forward: { token: { connection: lab } }
`,
})
after(async () => {
  await server.close()
  await lab.close()
  await resource.close()
})

const results = `${server.url}/results/Patient/1`
const out = `http://127.0.0.1:${ownPort}/out/lab/Patient/1`
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const caller = (token: string) => ({ 'scopegate-authorization': `Bearer ${token}` })

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}

test('who guesses tokens at an API or at the sidecar waits, and good tokens go on', async () => {
  const app = await server.app({
    scopes: 'results.read connections.use',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const tokenFor = async (scope: string, target: string) =>
    (await app.clientCredentials(scope, { set: { resource: `${server.url}${target}` } })).json
      .access_token as string
  const forApi = await tokenFor('results.read', '/results')
  const forSidecar = await tokenFor('connections.use', '/out/lab')
  const written = readFileSync(server.configFile, 'utf8')
  const limited = `authenticationFailuresPerMinute: ${LIMIT}`
  const changed = written.replace(/authenticationFailuresPerMinute: \d+/, limited)
  assert.notEqual(changed, written)
  writeFileSync(server.configFile, changed)
  await server.reload()

  for (let guess = 0; guess < 10; guess++) {
    assert.equal((await get(results)).status, 401, 'without a token nothing is guessed')
    assert.equal((await get(out)).status, 401)
  }
  const statuses: number[] = []
  for (let guess = 0; guess < LIMIT; guess++) {
    const answer = guess % 2 === 0 ? get(results, bearer('x')) : get(out, caller('x'))
    statuses.push((await answer).status)
  }
  assert.deepEqual(statuses.slice(0, -1), [401, 401, 401])
  for (const [url, headers] of [
    [results, bearer('x')],
    [out, caller('x')],
    [`${server.fhirUrl}/Patient`, bearer('x')],
  ] as const) {
    const answer = await get(url, headers)
    assert.equal(answer.status, 429, url)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.equal(answer.headers.get('www-authenticate'), null)
    const problem = JSON.parse(answer.text)
    assert.equal(problem.status, 429)
    assert.equal(problem.correlationId, answer.headers.get('x-request-id'))
  }
  assert.equal((await openWebSocket(results, bearer('x'))).status, 429)
  assert.equal((await openWebSocket(out, caller('x'))).status, 429)
  assert.equal((await get(results, bearer(forApi))).status, 200)
  assert.equal((await get(out, caller(forSidecar))).status, 200)
  assert.equal((await get(results)).status, 401)
})
