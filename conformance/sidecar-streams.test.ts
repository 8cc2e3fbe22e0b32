import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from './operating/operator.ts'
import { drained } from './support/drained.ts'
import { openSidecar } from './support/open-sidecar.ts'
import { readBytes } from './support/read-bytes.ts'
import { openUpstream } from './support/upstream.ts'

// Scenario 25: bytes as they come, both ways, without being kept. SCOPEGATE_TEST_LARGE=1 sends the
// whole gigabyte each way.
const MIB = 1024 * 1024
const LARGE_MIB = process.env.SCOPEGATE_TEST_LARGE ? 1024 : 200
let written = 0
let expectation = ''
const ended: string[] = []
const handshakes: { url: string; authorization: unknown; cookie: unknown }[] = []

const upstream = await openUpstream(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
  if (pathname === '/upload') {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of request) {
      bytes += chunk.length
      hash.update(chunk)
    }
    response.end(JSON.stringify({ bytes, hash: hash.digest('hex'), sent: request.headers }))
    return
  }
  if (pathname === '/download') {
    written = 0
    const chunk = Buffer.alloc(MIB, 7)
    for (let i = 0; i < Number(searchParams.get('mib')) && !response.destroyed; i += 1) {
      written += MIB
      if (!response.write(chunk)) await drained(response)
    }
    response.end()
    return
  }
  if (pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: one\n\n')
    request.once('close', () => ended.push('events'))
    await wait(50)
    response.write('data: two\n\n')
    return
  }
  if (pathname === '/trailers') {
    response.writeHead(200, { trailer: 'X-Sum, Set-Cookie', 'transfer-encoding': 'chunked' })
    response.write('body')
    response.addTrailers({ 'X-Sum': '42', 'Set-Cookie': 'a=1', Authorization: 'Bearer t' })
    response.end()
    return
  }
  if (pathname === '/cookies') {
    response.setHeader('set-cookie', ['a=1', 'scopegate_session=x'])
    response.setHeader('alt-svc', 'h3=":443"')
    response.setHeader('strict-transport-security', 'max-age=1')
    response.setHeader('scopegate-diagnosis', 'forged')
    response.end(request.headers.cookie ?? 'none')
    return
  }
  if (pathname === '/cut') {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
    setTimeout(() => response.destroy(), 20)
    return
  }
  if (pathname === '/silent') return
  response.end(request.method)
})
upstream.server.on('checkContinue', (request, response) => {
  expectation = request.headers.expect ?? ''
  upstream.server.emit('request', request, response)
})
upstream.server.on('upgrade', (request, socket: Socket, head: Buffer) => {
  const { url = '', headers } = request
  const { authorization, cookie } = headers
  handshakes.push({ url, authorization, cookie })
  socket.on('error', () => undefined)
  if (url === '/refuses' || (url === '/renewed' && authorization !== 'Bearer token-2')) {
    const status = url === '/refuses' ? '409 Conflict' : '401 Unauthorized'
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwhat`,
    )
    return
  }
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`,
  )
  socket.write(head)
  socket.on('end', () => socket.end())
  socket.on('close', () => ended.push(url))
  socket.on('data', (chunk) => {
    if (chunk.toString('latin1') === 'bye') socket.destroy()
    else socket.write(chunk)
  })
})
const sidecar = await openSidecar({ upstream: upstream.url })
after(async () => {
  await sidecar.close()
  await upstream.close()
})

/** How much is held at several moments; what nobody holds any more does not count. */
function watchMemory() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = () => {
    collect()
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    return arrayBuffers + heapUsed
  }
  const before = held()
  const seen: number[] = []
  return {
    look: () => seen.push(held() - before),
    /** Freed memory may be counted a moment longer; what is kept is there at most of the moments. */
    usualMib: () => (seen.sort((x, y) => x - y)[Math.floor(seen.length / 2)] ?? 0) / MIB,
  }
}

describe(`${LARGE_MIB} MiB`, () => {
  test('go up and down whole, and are not kept', { timeout: 600_000 }, async () => {
    const memory = watchMemory()
    let got = 0
    const down = await sidecar.fetch(`/out/lab/download?mib=${LARGE_MIB}`)
    for await (const chunk of down.body!) {
      const before = Math.floor(got / (40 * MIB))
      got += chunk.length
      if (Math.floor(got / (40 * MIB)) > before) memory.look()
    }
    assert.equal(got, LARGE_MIB * MIB)

    const hash = createHash('sha256')
    let sent = 0
    const up = await sidecar.fetch('/out/lab/upload', {
      method: 'POST',
      body: new ReadableStream({
        pull(controller) {
          if (sent === LARGE_MIB) {
            controller.close()
            return
          }
          const piece = new Uint8Array(MIB).fill(sent % 251)
          hash.update(piece)
          sent += 1
          if (sent % 40 === 0) memory.look()
          controller.enqueue(piece)
        },
      }),
      duplex: 'half',
    } as RequestInit)
    const answer = (await up.json()) as { bytes: number; hash: string }
    assert.equal(answer.bytes, LARGE_MIB * MIB)
    assert.equal(answer.hash, hash.digest('hex'))
    const usual = memory.usualMib()
    assert.ok(usual < 96, `${usual} MiB were held`)
  })

  test('wait for a reader who is slow', async () => {
    const socket = sidecar.open()
    socket.write('GET /out/lab/download?mib=512 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    // Until nothing moves any more.
    for (let before = -1; before !== written; await wait(300)) before = written
    assert.ok(written < 64 * MIB, `${written / MIB} MiB were taken for a reader who reads nothing`)
    socket.destroy()
  })
})

describe('what passes through', () => {
  test('every method, with and without a body', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      assert.equal(await (await sidecar.fetch('/out/lab/m', { method })).text(), method)
    }
    const head = await sidecar.fetch('/out/lab/m', { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(await head.text(), '')
  })

  test('a body in pieces, whose trailers are left out, and one with its length', async () => {
    const pieces = await sidecar.raw(
      'POST /out/lab/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\nAuthorization: Bearer t\r\n\r\n',
    )
    assert.match(pieces, /"bytes":5/)
    // Not passed on, so not announced either.
    assert.doesNotMatch(pieces, /"(?:trailer|x-sum)"|Bearer t"/)
    const whole = await sidecar.fetch('/out/lab/upload', { method: 'POST', body: 'abcde' })
    const { sent } = (await whole.json()) as { sent: Record<string, string> }
    assert.equal(sent['content-length'], '5')
    assert.equal(sent['transfer-encoding'], undefined)
  })

  test('events, each when it happens, and the upstream hears when the reader has gone', async () => {
    const abort = new AbortController()
    const answer = await sidecar.fetch('/out/lab/events', { signal: abort.signal })
    let got = ''
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      got += chunk
      if (got.includes('two')) break
    }
    assert.equal(got, 'data: one\n\ndata: two\n\n')
    abort.abort()
    await until(() => ended.includes('events'), Boolean)
  })

  test('trailers of an answer, without those that could be taken for headers', async () => {
    const got = await sidecar.raw(
      'GET /out/lab/trailers HTTP/1.1\r\nHost: 127.0.0.1\r\nTE: trailers\r\nConnection: close\r\n\r\n',
    )
    assert.match(got, /\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n$/i)
  })

  test('no cookies, unless the connection keeps them; never one of this server', async () => {
    const headers = { cookie: 'b=2; scopegate_session=y' }
    const stripped = await sidecar.fetch('/out/lab/cookies', { headers })
    assert.deepEqual(stripped.headers.getSetCookie(), [])
    assert.equal(await stripped.text(), 'none')
    for (const name of ['alt-svc', 'strict-transport-security', 'scopegate-diagnosis']) {
      assert.equal(stripped.headers.get(name), null)
    }
    const at = await openSidecar({ upstream: upstream.url, connection: { cookies: 'keep' } })
    const kept = await at.fetch('/out/lab/cookies', { headers })
    assert.deepEqual(kept.headers.getSetCookie(), ['a=1'])
    assert.equal(await kept.text(), 'b=2')
    await at.close()
  })

  test('a caller that asks before it sends is told to go on', async () => {
    const socket = sidecar.open()
    socket.setEncoding('latin1')
    socket.write(
      'POST /out/lab/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
    )
    const [go] = await once(socket, 'data')
    assert.match(go, /^HTTP\/1\.1 100 Continue/)
    socket.write('abc')
    const [done] = await once(socket, 'data')
    assert.match(done, /^HTTP\/1\.1 200 /)
    assert.equal(expectation, '')
    socket.destroy()
  })

  test('an answer that is cut is cut for the caller too, and traced as failed', async () => {
    const answer = await sidecar.fetch('/out/lab/cut')
    assert.equal(answer.status, 200)
    await assert.rejects(answer.text())
    await until(() => sidecar.traces.at(-1)?.upstream?.failure !== undefined, Boolean)
    assert.equal(sidecar.traces.at(-1)?.outcome, 'failed')
  })
})

describe('an upstream in trouble', () => {
  test('that nobody listens at, or that never answers: 502 and 504, each with its reason', async () => {
    const closed = await openUpstream()
    await closed.close()
    for (const [at, path, status, code] of [
      [await openSidecar({ upstream: closed.url }), '/out/lab/x', 502, 'upstream_unreachable'],
      [
        await openSidecar({
          upstream: upstream.url,
          connection: { limits: { headersTimeoutMs: 200 } },
        }),
        '/out/lab/silent',
        504,
        'upstream_timeout',
      ],
    ] as const) {
      const answer = await at.fetch(path)
      assert.equal(answer.status, status)
      assert.equal(((await answer.json()) as { code: string }).code, code)
      const { upstream: told, outcome } = at.traces.at(-1)!
      assert.equal(outcome, 'failed')
      assert.ok(told?.failure)
      await at.close()
    }
  })

  test('does not keep a connection for a caller who has hung up', async () => {
    const socket = sidecar.open()
    socket.write('GET /out/lab/silent HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await wait(50)
    const before = sidecar.traces.length
    socket.destroy()
    await until(() => sidecar.traces.length !== before, Boolean)
    assert.equal(sidecar.traces.at(-1)?.status, 499)
  })
})

const handshake = (path: string, headers: readonly string[] = []) =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n`

async function openSocket(path: string, more = ''): Promise<[Socket, string]> {
  const socket = sidecar.open().on('error', () => undefined)
  socket.setEncoding('latin1')
  socket.write(
    handshake(path, ['Authorization: Bearer mine', 'Cookie: a=1', 'Sec-WebSocket-Protocol: chat']) +
      more,
  )
  let answer = ''
  while (!answer.includes('\r\n\r\n')) answer += (await once(socket, 'data'))[0]
  return [socket, answer]
}

describe('a WebSocket', () => {
  test('carries the token in its handshake and bytes both ways, and ends at both ends', async () => {
    const [socket, answer] = await openSocket('/out/lab/socket')
    assert.match(answer, /^HTTP\/1\.1 101 /)
    assert.match(answer, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i)
    assert.match(answer, /sec-websocket-protocol: chat/i)
    assert.deepEqual(handshakes.at(-1), {
      ...{ url: '/socket', authorization: 'Bearer token-1', cookie: undefined },
    })
    for (const text of ['hello', 'x'.repeat(1_000_000)]) {
      socket.write(text)
      assert.equal(await readBytes(socket, text.length), text)
    }
    assert.equal(sidecar.traces.at(-1)?.status, 101)
    const before = ended.length
    socket.destroy()
    await until(() => ended.length !== before, Boolean)

    const [other] = await openSocket('/out/lab/socket')
    other.resume()
    other.write('bye')
    await once(other, 'close')
  })

  test('loses nothing that is sent together with the handshake', async () => {
    const [socket, answer] = await openSocket('/out/lab/socket', 'early')
    const rest = answer.split('\r\n\r\n')[1] ?? ''
    assert.equal(rest + (rest.length < 5 ? await readBytes(socket, 5 - rest.length) : ''), 'early')
    socket.destroy()
  })

  test('is opened with a new token where the old one is refused', async () => {
    const [socket, answer] = await openSocket('/out/lab/renewed')
    assert.match(answer, /^HTTP\/1\.1 101 /)
    assert.equal(sidecar.tokens.current, 'token-2')
    socket.destroy()
  })

  test('that the upstream refuses is refused as it said', async () => {
    const got = await sidecar.raw(handshake('/out/lab/refuses'))
    assert.match(got, /^HTTP\/1\.1 409 /)
    assert.match(got, /\r\n\r\nwhat$/)
  })

  test('ends when the sidecar does', async () => {
    const at = await openSidecar({ upstream: upstream.url })
    const socket = at.open().on('error', () => undefined)
    socket.write(handshake('/out/lab/socket'))
    await once(socket, 'data')
    socket.resume()
    const closed = once(socket, 'close')
    await at.close()
    await closed
  })

  test('of a caller ends with the token of the caller', async () => {
    const at = await openSidecar({ upstream: upstream.url, reach: 'network' })
    const socket = at.open().on('error', () => undefined)
    const token = at.callerToken({ seconds: 2 })
    socket.write(handshake('/out/lab/socket', [`Scopegate-Authorization: Bearer ${token}`]))
    const [answer] = await once(socket, 'data')
    assert.match(String(answer), /^HTTP\/1\.1 101 /)
    socket.resume()
    await once(socket, 'close')
    await at.close()
  })
})
