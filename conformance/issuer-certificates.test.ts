import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createNodeServer, ensureLocalCertificate, requestFacts } from '@scopegate/http'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { openGuardedServer } from './support/open-guarded-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// Tokens that are bound to the certificate of their client. RFC 8705 §3.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-certificates-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const certificate = (name: string) =>
  ensureLocalCertificate({ dir: join(folder, name), names: ['127.0.0.1'], nowMs: Date.now() })
const [mine, others] = await Promise.all([certificate('mine'), certificate('others')])
const leaf = (pem: string) => new X509Certificate(pem)
const thumbprint = (pem: string) => createHash('sha256').update(leaf(pem).raw).digest('base64url')

describe('over the whole server, behind a proxy that ends TLS', async () => {
  const web = await serveDocuments()
  after(() => web.close())
  const lab = createLabIssuer({ issuer: `${web.origin}/a`, keys: [createLabKey('RS256')] })
  web.documents.set('/a/keys', () => ({ body: lab.keySet }))
  const settings = `
issuers: [{ issuer: "${lab.issuer}", keysUrl: "${lab.issuer}/keys" }]
fhir: { r4: { trust: ["${lab.issuer}"] } }
`
  const server = await openGuardedServer(
    settings,
    {},
    {
      clientCertificates: 'proxy',
      trustedProxies: '["127.0.0.1"]',
    },
  )
  after(() => server.close())
  const token = lab.mintToken({
    audience: server.fhirUrl,
    scope: 'system/*.rs',
    claims: { cnf: { 'x5t#S256': thumbprint(mine.cert) } },
  })
  const ask = async (headers: Record<string, string>) => {
    const { status, challenge } = await server.fhir('/Patient', token, { headers })
    return status === 200 ? 'ok' : challenge
  }
  const pem = (text: string) => encodeURIComponent(leaf(text).toString())

  test('with the certificate, in both spellings', async () => {
    const der = `:${leaf(mine.cert).raw.toString('base64')}:`
    assert.equal(await ask({ 'client-cert': der }), 'ok')
    assert.equal(await ask({ 'client-cert': pem(mine.cert) }), 'ok')
  })

  test('without, with another, with something else, under another name', async () => {
    assert.match(await ask({}), /none came with the connection/)
    assert.match(await ask({ 'client-cert': pem(others.cert) }), /another client certificate/)
    for (const odd of ['x', ':!:', '%', `${pem(mine.cert)}, ${pem(mine.cert)}`]) {
      assert.match(await ask({ 'client-cert': odd }), /none came with the connection/)
    }
    assert.match(await ask({ client_cert: pem(mine.cert) }), /none came with the connection/)
  })

  test('a header of anybody but the proxy counts for nothing', async () => {
    const open = await openGuardedServer(
      settings,
      {},
      {
        clientCertificates: 'proxy',
        trustedProxies: '["10.9.8.7"]',
      },
    )
    try {
      const bound = lab.mintToken({
        audience: open.fhirUrl,
        scope: 'system/*.rs',
        claims: { cnf: { 'x5t#S256': thumbprint(mine.cert) } },
      })
      const headers = { 'client-cert': pem(mine.cert) }
      assert.equal((await open.fhir('/Patient', bound, { headers })).status, 401)
    } finally {
      await open.close()
    }
  })
})

test('where this server ends TLS: the certificate of the connection', async () => {
  const server = createNodeServer({
    ...{ host: '127.0.0.1', port: 0, tls: mine, clientCertificates: { from: 'tls' } },
    handler: async (one) => Response.json({ shown: requestFacts(one).clientCertificate ?? null }),
  })
  const { port } = await server.listen()
  const shown = (more: object) =>
    new Promise<string | null>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false, agent: false, ...more }
      request(options, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve(JSON.parse(Buffer.concat(chunks).toString()).shown)
      })
        .on('error', reject)
        .end()
    })
  try {
    assert.equal(await shown({ cert: others.cert, key: others.key }), thumbprint(others.cert))
    assert.equal(await shown({}), null)
    const header = encodeURIComponent(leaf(mine.cert).toString())
    assert.equal(await shown({ headers: { 'client-cert': header } }), null)
  } finally {
    await server.close()
  }
})
