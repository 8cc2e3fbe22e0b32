/** S48: the admin API at an address of its own, and nowhere else; the other suites know it beside everything else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { createOperator } from './operating/operator.ts'

const operator = createOperator()

interface Credential {
  readonly clientId: string
  readonly clientSecret: string
  readonly adminUrl: string
  readonly tokenUrl: string
}

/** What the last start left for its user. */
function credentialOf(url: string): Credential {
  const file = join(operator.folder, 'config', 'scopegate', 'servers.json')
  return JSON.parse(readFileSync(file, 'utf8')).servers[url]
}

async function askForToken(credential: Credential, scope: string, resource: string) {
  const { clientId, clientSecret, tokenUrl } = credential
  const response = await fetch(tokenUrl, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }),
  })
  return (await response.json()) as { access_token?: string; error?: string }
}

const statusOf = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init)
  await response.arrayBuffer()
  return response.status
}

describe('an admin API with a listener of its own', async () => {
  const port = await freePort()
  const config = operator.file('own.yaml', `admin: { listen: "127.0.0.1:${port}" }\n`)
  const server = await operator.up({ config, data: 'own' })
  const own = `http://127.0.0.1:${port}`
  const credential = credentialOf(server.url)
  const scope = 'admin/status.read admin/doctor.read'
  const token = (await askForToken(credential, scope, `${own}/admin/api`)).access_token ?? ''
  const headers = { authorization: `Bearer ${token}` }

  test('answers there', async () => {
    assert.equal(credential.adminUrl, `${own}/admin/api`)
    const response = await fetch(`${own}/admin/api/status`, { headers })
    assert.equal(response.status, 200)
    const { endpoints, url } = (await response.json()) as {
      url: string
      endpoints: { name: string; url: string }[]
    }
    assert.equal(url, server.url)
    assert.equal(endpoints.find(({ name }) => name === 'admin')?.url, `${own}/admin/api`)
  })

  test('being on loopback proves nothing there either', async () => {
    assert.equal(await statusOf(`${own}/admin/api/status`), 401)
    assert.equal(await statusOf(`${own}/admin/api/anything`), 401)
  })

  test('is not at the main address, whoever asks', async () => {
    for (const path of ['status', 'clients', 'doctor', 'anything']) {
      assert.equal(await statusOf(`${server.url}/admin/api/${path}`, { headers }), 404, path)
      assert.equal(await statusOf(`${server.url}/admin/api/${path}`), 404, path)
    }
    assert.equal(await statusOf(`${server.url}/admin/doctor`), 404)
    const landing = await (await fetch(server.url)).text()
    assert.ok(!landing.includes('/admin/'), 'and the first page leads nowhere')
  })

  test('nothing else is at its address', async () => {
    for (const path of ['/', '/fhir/r4/metadata', '/oauth/jwks', '/healthz', '/metrics']) {
      assert.equal(await statusOf(`${own}${path}`), 404, path)
    }
  })

  test('no token is given for the address where it is not', async () => {
    const asked = await askForToken(credential, scope, `${server.url}/admin/api`)
    assert.equal(asked.access_token, undefined)
    assert.equal(asked.error, 'invalid_target')
  })

  test('the doctor is a page there, for its own form only', async () => {
    assert.equal(await statusOf(`${own}/admin/doctor`), 200)
    const send = (origin: string) =>
      statusOf(`${own}/admin/doctor`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ token }),
      })
    assert.equal(await send(own), 200)
    assert.equal(await send(server.url), 403)
  })

  test('users who sign in for a connection come back to the public address', async () => {
    assert.equal(await statusOf(`${server.url}/admin/connections/callback?state=x`), 400)
    assert.equal(await statusOf(`${own}/admin/connections/callback?state=x`), 404)
  })

  test('the command line finds it by the address of the server', async () => {
    const ran = await operator.scopegate('client', 'list', '--json')
    assert.equal(ran.code, 0, ran.err)
    const file = operator.file('one.ndjson', '{"resourceType":"Patient","id":"p1"}\n')
    const imported = await operator.scopegate('import', file)
    assert.equal(imported.code, 0, imported.err)
    const report = await operator.scopegate('doctor', '--running', '--json')
    assert.ok(Array.isArray(JSON.parse(report.out).findings), report.out)
    const { out } = await operator.scopegate('doctor', '--open')
    assert.ok(out.includes(`${own}/admin/doctor`), out)
  })

  test('it ends with the server', async () => {
    assert.equal(await server.stop(), 0)
    await assert.rejects(fetch(`${own}/admin/doctor`))
  })
})

test('off loopback it has the certificate of the server', async () => {
  const [main, own] = [await freePort(), await freePort()]
  const config = operator.file(
    'tls.yaml',
    `server: { url: "https://localhost:${main}", tls: { local: true } }\nadmin: { listen: "0.0.0.0:${own}" }\n`,
  )
  const server = await operator.up({ config, data: 'tls', port: main })
  const credential = credentialOf(`https://localhost:${main}`)
  assert.equal(credential.adminUrl, `https://localhost:${own}/admin/api`)
  const { caFile } = credential as Credential & { caFile: string }
  const status = await new Promise((resolve, reject) => {
    const options = { ca: readFileSync(caFile), agent: false }
    get(`${credential.adminUrl}/status`, options, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
  assert.equal(status, 401)
  const { code, err } = await operator.scopegate('client', 'list')
  assert.equal(code, 0, err)
  await server.stop()
})
