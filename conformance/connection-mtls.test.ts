import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { until } from './operating/operator.ts'
import { makeClientCertificate } from './support/client-certificate.ts'
import { openSmartServer } from './support/open-smart-server.ts'
import { listenHttps } from './support/serve-https.ts'

// RFC 8705 §2: the client is who the certificate of its TLS connection says, in the whole product.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-mtls-'))
const file = (name: string) => join(folder, name)
const known = await makeClientCertificate('lab-reader')
const stranger = await makeClientCertificate('lab-reader')
const fingerprint = new X509Certificate(known.certificate).fingerprint256
const asked: { readonly path: string; readonly isKnown: boolean; readonly form: string }[] = []

const provider = await listenHttps(
  (origin) => async (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.method === 'GET') {
      return answer(200, {
        issuer: origin,
        token_endpoint: `${origin}/token`,
        mtls_endpoint_aliases: { token_endpoint: `${origin}/mtls/token` },
      })
    }
    const shown = (request.socket as TLSSocket).getPeerCertificate().fingerprint256
    const isKnown = shown === fingerprint
    asked.push({ path: request.url ?? '', isKnown, form: await text(request) })
    if (!isKnown) return answer(401, { error: 'invalid_client' })
    answer(200, { access_token: 'a-token-for-lab-reader', token_type: 'Bearer', expires_in: 300 })
  },
  { requestCert: true, rejectUnauthorized: false },
)
writeFileSync(file('ca.pem'), provider.ca)
const use = ({ certificate, privateKey }: typeof known) => {
  writeFileSync(file('client.key'), privateKey)
  writeFileSync(file('client.crt'), certificate)
}
use(stranger)
const server = await openSmartServer({
  withoutSample: true,
  yaml: `connections:
  - name: lab
    issuer: ${provider.origin}
    clientId: lab-reader
    authentication:
      method: tls_client_auth
      privateKey: file:${file('client.key')}
      certificate: ${file('client.crt')}
    scopes: [system/Patient.rs]
    ca: ${file('ca.pem')}
`,
})
after(async () => {
  await server.close()
  await provider.close()
  rmSync(folder, { recursive: true })
})

const token = async () => {
  const response = await server.adminCall('GET', '/connections/lab/token')
  return { status: response.status, json: JSON.parse(await response.text()) }
}

test('a client certificate gets the token, at the address for it, and a new one is used at once', async () => {
  const refused = await token()
  assert.equal(refused.status, 502)
  assert.equal(refused.json.failure.kind, 'configuration')
  assert.equal((await token()).status, 502)
  assert.equal(asked.length, 1, 'the provider is not asked again with what it refused')

  use(known)
  await server.reload()
  const { json } = await until(token, ({ status }) => status === 200)
  assert.equal(json.access_token, 'a-token-for-lab-reader')
  assert.deepEqual(
    asked.map(({ path, isKnown }) => [path, isKnown]),
    [
      ['/mtls/token', false],
      ['/mtls/token', true],
    ],
  )
  for (const { form } of asked) {
    const sent = new URLSearchParams(form)
    assert.equal(sent.get('client_id'), 'lab-reader')
    assert.ok(!sent.has('client_secret') && !sent.has('client_assertion'))
  }
})
