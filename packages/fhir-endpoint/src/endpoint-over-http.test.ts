import assert from 'node:assert/strict'
import { request as send } from 'node:http'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { createNodeServer, createRouter } from '@scopegate/http'
import { BASE } from './test-support/endpoint-under-test.ts'
import { observation } from './test-support/fixture.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint(undefined, { settings: { maxBodyBytes: 100_000 } })
const server = createNodeServer({
  host: '127.0.0.1',
  port: 0,
  handler: createRouter(t.endpoint.routes.map((path) => ({ path, handler: t.endpoint.fetch }))),
  faultForms: t.endpoint.faultForms,
})
const { port } = await server.listen()
after(() => server.close())
const url = `http://127.0.0.1:${port}/fhir/r4`
const authorization = `Bearer ${t.lab.mintToken({ audience: BASE, scope: 'system/*.cruds' })}`

/** Sends headers as a list, so that one may come twice. */
function sendRaw(path: string, headers: string[]): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    send({ port, host: '127.0.0.1', path, headers: ['Host', 'x', ...headers] }, (response) => {
      let text = ''
      response.on('data', (data) => {
        text += data
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
      .on('error', reject)
      .end()
  })
}

test('addresses in answers are those configured, whatever Host says', async () => {
  const { status, text } = await sendRaw('/fhir/r4/Observation?_count=1', [
    'Host2',
    'evil.example',
    'Authorization',
    authorization,
    'X-Forwarded-Host',
    'evil.example',
  ])
  assert.equal(status, 200)
  assert.ok(text.includes(`${BASE}/Observation`))
  assert.ok(!text.includes('evil'))
})

test('what is refused before it is routed is told as an outcome below the base', async () => {
  for (const [path, headers] of [
    ['/fhir/r4/Patient/../Observation/P1', []],
    ['/fhir/r4//Patient', []],
    ['/fhir/r4/Patient', ['Host', 'y']],
  ] as const) {
    const { status, text } = await sendRaw(path, [...headers])
    assert.equal(status, 400)
    const outcome = JSON.parse(text)
    assert.equal(outcome.resourceType, 'OperationOutcome')
    assert.match(outcome.issue[0].details.text, /segment|host/)
    assert.match(outcome.issue[0].diagnostics, /to do: .*; correlation id \S+$/)
  }
  const elsewhere = await sendRaw('/admin//Patient', [])
  assert.equal(JSON.parse(elsewhere.text).status, 400)
})

test('a second Authorization header is refused, with an outcome', async () => {
  const answer = await sendRaw('/fhir/r4/Observation/O1', [
    'Authorization',
    authorization,
    'Authorization',
    'Bearer x.y.z',
  ])
  assert.equal(answer.status, 400)
  assert.equal(JSON.parse(answer.text).issue[0].details.coding[0].code, 'several_credentials')
})

test('HEAD has the headers of GET and no body', async () => {
  const head = await fetch(`${url}/Observation/O1`, { method: 'HEAD', headers: { authorization } })
  const get = await fetch(`${url}/Observation/O1`, { headers: { authorization } })
  assert.equal(head.headers.get('content-length'), String((await get.arrayBuffer()).byteLength))
  assert.equal(await head.text(), '')
  for (const name of ['etag', 'last-modified', 'content-type', 'cache-control']) {
    assert.equal(head.headers.get(name), get.headers.get(name))
  }
})

test('a body beyond the limit is 413, and the server goes on', async () => {
  const body = JSON.stringify(
    observation(undefined, 'P1', [], { note: [{ text: 'x'.repeat(5_000_000) }] }),
  )
  const headers = { authorization, 'content-type': 'application/fhir+json' }
  const answer = await fetch(`${url}/Observation`, { method: 'POST', headers, body }).catch(
    () => undefined,
  )
  // A client that is still sending may see the connection close instead of the answer.
  if (answer !== undefined) assert.equal(answer.status, 413)
  assert.equal((await fetch(`${url}/Observation/O1`, { headers })).status, 200)
})

test('a body that stops halfway stores nothing', async () => {
  const before = await t.send('Observation?_summary=count', { scope: 'system/*.rs' })
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /fhir/r4/Observation HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/fhir+json\r\nContent-Length: 500\r\n\r\n{"resourceType":"Observation",`,
      )
      setTimeout(() => socket.destroy(), 100)
    })
    socket.on('close', () => resolve())
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const now = await t.send('Observation?_summary=count', { scope: 'system/*.rs' })
  assert.equal(now.json.total, before.json.total)
  assert.equal((await fetch(`${url}/Observation/O1`, { headers: { authorization } })).status, 200)
})

test('a search of absurd size is refused in bounded time', async () => {
  const startedAt = performance.now()
  for (const query of [
    Array.from({ length: 2000 }, (_, n) => `a${n}=1`).join('&'),
    `code=${'x,'.repeat(10_000)}`,
    `${'_has:Observation:patient:'.repeat(300)}code=x`,
    `${'subject.'.repeat(900)}name=x`,
    `name=${'%5C'.repeat(3000)}`,
  ]) {
    const answer = await fetch(`${url}/Patient?${query}`, { headers: { authorization } })
    await answer.arrayBuffer()
    assert.ok([200, 400, 413, 414, 431].includes(answer.status), String(answer.status))
  }
  assert.ok(performance.now() - startedAt < 5000)
})
