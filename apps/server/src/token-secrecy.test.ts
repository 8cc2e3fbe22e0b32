import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { Trace } from '@scopegate/audit'
import { testStorage } from '@scopegate/storage/testing'
import { readConfig } from './config.ts'
import { createLogger } from './operations/logger.ts'
import { openKernel } from './wire/kernel.ts'
import { wire } from './wire.ts'

const storage = await testStorage()

async function start() {
  let node: (request: IncomingMessage, response: ServerResponse) => void = () => {}
  const http = createServer((request, response) => node(request, response))
  http.unref()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-log-'))
  const stream = new PassThrough()
  let log = ''
  stream.on('data', (chunk) => {
    log += chunk
  })
  const config = readConfig({ cwd: folder, port }, {})
  const logger = createLogger({ level: 'trace', format: 'json', stream })
  const kernel = await openKernel(config, storage, logger)
  const parts = await wire(config, kernel)
  node = parts.authorizationServer.node
  return {
    parts,
    port,
    log: () => log,
    async close() {
      await parts.close()
      await kernel.close()
      http.closeAllConnections()
      http.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

function send(port: number, { method = 'POST', path = '/oauth/token', headers, body = '' }: Sent) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = request({ port, method, path, headers: { ...form, ...headers } }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

test('no Authorization header, assertion or secret gets into a log line, a trace or an error, wherever it was sent', async () => {
  const at = await start()
  const added = await at.parts.authorizationServer.clients.add({
    name: 'a',
    scopes: 'system/Patient.rs',
    grants: ['client_credentials'],
  })
  assert.ok(added.ok)
  const { clientId } = added.client
  const secret = added.clientSecret ?? ''
  const typo = `${secret.slice(0, -3)}xyz`
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signature = 'c2lnbmF0dXJlLW9mLWFuLWFzc2VydGlvbg'
  const assertion = `${part({ alg: 'RS384', kid: 'k' })}.${part({ iss: clientId, sub: clientId })}.${signature}`
  const basic = (user: string, word: string) => `Basic ${btoa(`${user}:${word}`)}`
  const form = (more: Record<string, string>) =>
    String(new URLSearchParams({ grant_type: 'client_credentials', ...more }))
  const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const byAssertion = { client_assertion_type: jwtBearer, client_assertion: assertion }

  const requests: Sent[] = [
    { headers: { authorization: basic(clientId, secret) }, body: form({}) },
    { body: form({ client_id: clientId, client_secret: secret }) },
    { headers: { authorization: basic(clientId, typo) }, body: form({}) },
    { headers: { authorization: basic(secret, clientId) }, body: form({}) },
    { headers: { authorization: `Basic ${secret}` }, body: form({}) },
    { headers: { authorization: `Basic ${btoa(secret)}` }, body: form({}) },
    { headers: { authorization: `Bearer ${secret}` }, body: form({}) },
    {
      headers: { authorization: [basic(clientId, secret), basic(clientId, typo)] },
      body: form({}),
    },
    { headers: { authorization: basic(clientId, secret) }, body: form({ client_secret: typo }) },
    { body: form({ client_id: secret, client_secret: secret }) },
    { body: form({ client_id: assertion, client_secret: assertion }) },
    { body: form({ client_id: clientId, client_secret: typo }) },
    { body: form({ client_id: clientId, client_secret: secret, scope: secret }) },
    { body: form({ client_id: clientId, client_secret: secret, resource: secret }) },
    { body: form({ client_id: clientId, client_secret: secret, resource: `https://x/${secret}` }) },
    { body: form({ client_id: clientId, client_secret: secret, grant_type: secret }) },
    { body: `${form({ client_id: clientId, client_secret: secret })}&client_secret=${typo}` },
    { body: form(byAssertion) },
    { body: form({ ...byAssertion, client_id: clientId }) },
    { body: form({ ...byAssertion, client_assertion_type: assertion }) },
    { body: form({ ...byAssertion, client_assertion: `${assertion}.${secret}` }) },
    { body: JSON.stringify({ clientId, secret }), headers: { 'content-type': 'application/json' } },
    { path: `/oauth/token?client_secret=${secret}`, body: form({}) },
    { path: `/oauth/token?client_assertion=${assertion}`, method: 'GET' },
    { headers: { authorization: basic(clientId, secret) }, body: '' },
  ]
  const answers: string[] = []
  for (const each of requests) {
    const { status, text } = await send(at.port, each)
    if (status === 200) continue
    assert.ok(status >= 400 && status < 500, `${status} ${text}`)
    answers.push(text)
  }
  await at.close()
  const { rows } = await storage.pool.query<{ content: Trace }>('SELECT content FROM trace')
  const traces = rows.map(({ content }) => content)
  assert.equal(traces.length, answers.length, 'every failed request leaves a trace')
  assert.deepEqual(
    traces.map(({ correlationId }) => correlationId).sort(),
    answers.map((text) => JSON.parse(text).correlation_id).sort(),
  )
  const everything = [at.log(), JSON.stringify(traces), ...answers].join('\n')
  assert.equal(everything.match(/"token request refused"/g)?.length, answers.length)
  assert.match(everything, /"code":"secret_wrong"/)
  for (const [what, text] of Object.entries({ secret, typo, assertion, signature })) {
    for (const [how, form] of Object.entries({
      plain: text,
      base64: btoa(text),
      basic: btoa(`${clientId}:${text}`),
      reversed: btoa(`${text}:${clientId}`),
    })) {
      const found = everything.indexOf(form)
      assert.equal(found, -1, `${what} ${how}: ${everything.slice(found - 200, found + 20)}`)
    }
  }
})
