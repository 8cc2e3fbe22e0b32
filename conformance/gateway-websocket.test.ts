import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openGateway } from './support/open-gateway.ts'
import { readBytes } from './support/read-bytes.ts'
import { openUpstream } from './support/upstream.ts'

// WebSockets go through as bytes once the handshake is done: an echo of bytes shows all there is.
const upstream = await openUpstream()
const handshakes: { url: string; user: unknown; authorization: unknown }[] = []
const ended: string[] = []
upstream.server.on('upgrade', (request, socket: Socket, head: Buffer) => {
  const { url = '', headers } = request
  handshakes.push({ url, user: headers['x-user'], authorization: headers.authorization })
  if (url === '/refuses') {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    return
  }
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.write(head)
  socket.on('error', () => undefined)
  socket.on('end', () => socket.end())
  socket.on('close', () => ended.push(url))
  socket.on('data', (chunk) => socket.write(chunk))
})
const gateway = await openGateway({
  upstream: upstream.url,
  routes: [
    { path: '/socket', scopes: ['read'] },
    { path: '/refuses' },
    { path: '/public/*', public: true },
  ],
})
after(async () => {
  await gateway.close()
  await upstream.close()
})

const handshake = (path: string, headers: readonly string[] = []) =>
  `GET ${path} HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n`

async function open(path: string, token: string, more = ''): Promise<[Socket, string]> {
  const socket = gateway.open().on('error', () => undefined)
  socket.setEncoding('latin1')
  socket.write(handshake(path, [`Authorization: Bearer ${token}`, 'X-User: root']) + more)
  const [answer] = await once(socket, 'data')
  return [socket, answer]
}

describe('a WebSocket', () => {
  test('is opened for who may, who is known by the identity that the gateway gives', async () => {
    const [socket, answer] = await open('/api/socket', gateway.token())
    assert.match(answer, /^HTTP\/1\.1 101 /)
    assert.match(answer, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i)
    assert.deepEqual(handshakes.at(-1), {
      url: '/socket',
      user: 'lab-user',
      authorization: undefined,
    })
    for (const text of ['hello', 'x'.repeat(1_000_000)]) {
      socket.write(text)
      assert.equal(await readBytes(socket, text.length), text)
    }
    const { outcome, status } = gateway.traces.at(-1)!
    assert.deepEqual({ outcome, status }, { outcome: 'permitted', status: 101 })
    const before = ended.length
    socket.destroy()
    while (ended.length === before) await wait(20)
  })

  test('loses nothing that is sent together with the handshake', async () => {
    const [socket, answer] = await open('/api/socket', gateway.token(), 'early')
    const rest = answer.split('\r\n\r\n')[1] ?? ''
    assert.equal(rest + (rest.length < 5 ? await readBytes(socket, 5 - rest.length) : ''), 'early')
    socket.destroy()
  })

  test('is refused like any request, and the upstream hears nothing of it', async () => {
    const before = handshakes.length
    for (const [text, status] of [
      [handshake('/api/socket'), 401],
      [handshake('/api/socket', ['Authorization: Bearer x.y.z']), 401],
      [handshake('/api/socket', [`Authorization: Bearer ${gateway.token('other')}`]), 403],
      [handshake('/api/elsewhere', [`Authorization: Bearer ${gateway.token()}`]), 404],
      [handshake('/api/socket/../refuses'), 400],
    ] as const) {
      const got = await gateway.raw(text)
      assert.match(got, new RegExp(`^HTTP/1\\.1 ${status} `))
    }
    assert.equal(handshakes.length, before)
  })

  test('that the upstream refuses is told as a failure of the upstream', async () => {
    const [, answer] = await open('/api/refuses', gateway.token())
    assert.match(answer, /^HTTP\/1\.1 502 /)
    assert.match(answer, /upstream_broken/)
  })

  test('ends when its token does', async () => {
    const [socket, answer] = await open('/api/socket', gateway.token('read', 2))
    assert.match(answer, /^HTTP\/1\.1 101 /)
    await once(socket, 'close')
  })

  test('ends when its token is revoked', async () => {
    const [socket] = await open('/api/socket', gateway.token())
    gateway.revoked = true
    await once(socket, 'close')
    gateway.revoked = false
  })

  test('is the only upgrade: any other is an ordinary request, that does not switch', async () => {
    const got = await gateway.raw(
      `GET /api/public/x HTTP/1.1\r\nHost: g\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n`,
    )
    assert.match(got, /^HTTP\/1\.1 200 /)
    assert.equal(upstream.seen.at(-1)?.headers.upgrade, undefined)
  })
})
