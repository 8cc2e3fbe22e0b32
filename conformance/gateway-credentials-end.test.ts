import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { after, afterEach, describe, mock, test } from 'node:test'
import { createLabKey, publicJwk } from '@scopegate/lab'
import { calculateJwkThumbprint } from 'jose'
import { dpopProof } from './support/dpop-proof.ts'
import { openGateway } from './support/open-gateway.ts'
import { openUpstream } from './support/upstream.ts'
import { openWebSocket } from './support/web-socket.ts'

// What a token opened ends with it: streams of events and WebSockets, not answers that are finished.
// What is looked at every few seconds is looked at when the tests say so.
mock.timers.enable({ apis: ['setInterval'] })
const upstream = await openUpstream((request, response) => {
  if (request.url === '/report') {
    response.writeHead(200, { 'content-type': 'text/csv' })
    response.write('a,b\n')
    setTimeout(() => response.end('1,2\n'), 3500)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('data: begun\n\n')
})
upstream.server.on('upgrade', (request, socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => socket.destroy())
})
const gateway = await openGateway({
  upstream: upstream.url,
  dpop: true,
  routes: [
    { path: '/public/*', public: true },
    { path: '/*', scopes: ['read'] },
  ],
})
after(async () => {
  await gateway.close()
  await upstream.close()
  mock.timers.reset()
})
afterEach(() => {
  gateway.revoked = false
  gateway.outage = false
})

const key = createLabKey('ES256')
const jkt = await calculateJwkThumbprint(publicJwk(key) as never)
/** As the client sees it. */
const seenAs = (path: string) => `http://gateway.example/api${path}`

interface Open {
  readonly status: number
  readonly closed: Promise<unknown>
  readonly isOpen: () => boolean
}

async function events(path: string, headers: Record<string, string>): Promise<Open> {
  const asked = get(`${gateway.url}/api${path}`, { headers })
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  if (response.statusCode === 200) await once(response, 'data')
  response.resume()
  const closed = new Promise<void>((resolve) => response.once('close', resolve))
  return { status: response.statusCode ?? 0, closed, isOpen: () => !response.closed }
}

async function socket(path: string, headers: Record<string, string>): Promise<Open> {
  const opened = await openWebSocket(`${gateway.url}/api${path}`, headers)
  let isOpen = opened.status === 101
  opened.closed.then(() => {
    isOpen = false
  })
  return { ...opened, isOpen: () => isOpen }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
function bound(path: string, seconds = 300): Record<string, string> {
  const token = gateway.token('read', seconds, { cnf: { jkt } })
  return { authorization: `DPoP ${token}`, dpop: dpopProof(key, 'GET', seenAs(path), { token }) }
}

/** Lets a few looks at what is open pass. */
async function looksAgain(): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    mock.timers.tick(5000)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('what a token opened', () => {
  for (const [what, open] of [
    ['a stream of events', events],
    ['a WebSocket', socket],
  ] as const) {
    test(`${what} ends when the token does`, async () => {
      const opened = await open('/events', bearer(gateway.token('read', 3)))
      assert.ok(opened.isOpen())
      await opened.closed
    })

    test(`${what} ends soon after the token is revoked, and goes on until then`, async () => {
      const opened = await open('/events', bearer(gateway.token()))
      await looksAgain()
      assert.ok(opened.isOpen())
      gateway.revoked = true
      await looksAgain()
      await opened.closed
    })

    test(`${what} outlives an outage of its issuer, and a revocation ends it after that`, async () => {
      const opened = await open('/events', bearer(gateway.token()))
      gateway.outage = true
      await looksAgain()
      assert.ok(opened.isOpen())
      assert.equal((await open('/events', bearer(gateway.token('read', 299)))).status, 503)
      gateway.outage = false
      await looksAgain()
      assert.ok(opened.isOpen())
      gateway.revoked = true
      await looksAgain()
      await opened.closed
    })

    test(`${what} ends with its token during an outage too`, async () => {
      const opened = await open('/events', bearer(gateway.token('read', 3)))
      gateway.outage = true
      await looksAgain()
      await opened.closed
    })

    test(`${what} of a token that is bound to a key needs its proof once, at the opening`, async () => {
      const headers = bound('/events')
      const opened = await open('/events', headers)
      assert.ok(opened.isOpen())
      const replayed = await open('/events', headers)
      assert.equal(replayed.status, 401, 'the proof has been used')
      await looksAgain()
      assert.ok(opened.isOpen())
      gateway.revoked = true
      await looksAgain()
      await opened.closed
    })
  }

  test('a stream of events on a public route belongs to nobody, and goes on', async () => {
    const opened = await events('/public/events', {})
    gateway.revoked = true
    await looksAgain()
    assert.ok(opened.isOpen())
  })

  test('another answer that has begun is finished', async () => {
    const token = gateway.token('read', 3)
    const response = await gateway.fetch('/api/report', { token })
    assert.equal(await response.text(), 'a,b\n1,2\n')
    assert.equal((await gateway.fetch('/api/report', { token })).status, 401)
  })
})
