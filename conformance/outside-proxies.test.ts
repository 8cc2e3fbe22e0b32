import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Agent, fetch as fetchWith, type RequestInit } from 'undici'
import { framingAttempts } from './support/framing-attempts.ts'
import { openGateway } from './support/open-gateway.ts'
import { OUTSIDE_PROXIES, startOutsideProxy } from './support/outside-proxy.ts'
import { openUpstream } from './support/upstream.ts'
import { openWebSocket } from './support/web-socket.ts'

// S21: behind proxies that were not written here, which read the same bytes before us.
const MIB = 1024 * 1024
/** Those that came whole. */
const seen: IncomingMessage[] = []
const gone: string[] = []
const upstream = await openUpstream(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
  response.once('close', () => gone.push(request.url ?? ''))
  if (pathname === '/public/download') {
    const chunk = Buffer.alloc(MIB, 7)
    for (let i = 0; i < Number(searchParams.get('mib')); i += 1) response.write(chunk)
    response.end()
    return
  }
  if (pathname === '/public/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    // It stays open. HAProxy sees a caller go when it has something to tell them.
    response.write('data: one\n\n')
    const beat = setInterval(() => response.write(': still here\n\n'), 200)
    response.once('close', () => clearInterval(beat))
    return
  }
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of request) {
    hash.update(chunk)
    bytes += chunk.length
  }
  seen.push(request)
  const { url, headers } = request
  response.end(JSON.stringify({ url, headers, bytes, hash: hash.digest('hex') }))
})
upstream.server.on('upgrade', (request, socket: Socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.end())
  socket.resume().once('close', () => gone.push(request.url ?? ''))
})
const gateway = await openGateway({
  upstream: upstream.url,
  trustedProxies: ['127.0.0.1'],
  routes: [
    { path: '/public/*', public: true },
    { path: '/admin', scopes: ['admin'] },
    { path: '/*', scopes: ['read'] },
  ],
})
after(async () => {
  await gateway.close()
  await upstream.close()
})

/** Each on a connection of its own: the proxies close one that waits, maybe just when it is used again. */
const dispatcher = new Agent({ pipelining: 0 })
after(() => dispatcher.destroy())
const fetchOnce = (url: string, init: RequestInit = {}) => fetchWith(url, { ...init, dispatcher })

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    if (isSo()) return
    await wait(50)
  }
  assert.fail(`it did not happen: ${what}`)
}

for (const proxy of OUTSIDE_PROXIES) {
  const skip = proxy.isInstalled ? false : `${proxy.command} is not there`
  describe(`behind ${proxy.name}`, { skip, timeout: 300_000 }, async () => {
    if (!proxy.isInstalled) return
    const front = await startOutsideProxy(proxy, gateway.port)
    after(() => front.close())
    const bearer = () => ({ authorization: `Bearer ${gateway.token()}` })

    /** From an address that is nobody's proxy. @returns what came until the connection was closed */
    function raw(text: string): Promise<string> {
      return new Promise((resolve) => {
        const socket = connect({ port: front.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
        let got = ''
        socket.setEncoding('latin1').on('data', (chunk) => {
          got += chunk
        })
        socket.on('error', () => undefined)
        // What waits for more of a request waits for nothing.
        socket.setTimeout(15_000, () => socket.destroy())
        socket.once('close', () => resolve(got))
        socket.write(text, 'latin1')
      })
    }

    test('as many requests are answered as arrive, however they are framed', async () => {
      const texts = framingAttempts('').map((_, index) => {
        const id = `${proxy.name}-${index}-`
        return { id, text: framingAttempts(id)[index]! }
      })
      const answers = await Promise.all(texts.map(({ text }) => raw(text)))
      for (const [index, { id, text }] of texts.entries()) {
        const arrived = seen.filter(({ url }) => url?.includes(id))
        const answered = answers[index]!.match(/HTTP\/1\.[01] 200/g)?.length ?? 0
        assert.equal(answered, arrived.length, JSON.stringify({ text, answer: answers[index] }))
        assert.ok(arrived.every(({ url }) => url?.startsWith('/public/')))
      }
      assert.ok(answers.some((each) => each.startsWith('HTTP/1.1 200')))
      assert.ok(answers.some((each) => /^HTTP\/1\.[01] 400/.test(each)))
    })

    test('who calls, and who they say they are, is told apart', async () => {
      const got = await raw(
        `GET /api/who HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${gateway.token()}\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil.example\r\nX-User: root\r\nX_User: root\r\nForwarded: for=1.2.3.4\r\nConnection: close\r\n\r\n`,
      )
      assert.match(got, /^HTTP\/1\.1 200/)
      const { headers } = seen.findLast(({ url }) => url === '/who')!
      // The proxy says who called it; what the caller says stands before that.
      assert.equal(headers['x-forwarded-for'], '1.2.3.4, 127.0.0.2, 127.0.0.1')
      assert.equal(headers['x-forwarded-host'], 'gateway.example')
      assert.equal(headers['x-user'], 'lab-user')
      assert.doesNotMatch(JSON.stringify(headers), /evil|root/)
    })

    test('no path that it reads otherwise opens a closed route', async () => {
      const paths = ['..', '%2e%2e', '.%2e', '..;', '%252e%252e', '..%2f', '..%5c', '%2e%2e%2f']
      const asked = paths.flatMap((dots) => [
        `/api/public/${dots}/admin`,
        `/api/public//${dots}//admin`,
      ])
      const answers = await Promise.all(
        asked.map((path) => raw(`GET ${path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n`)),
      )
      for (const [index, answer] of answers.entries()) {
        assert.match(answer, /^HTTP\/1\.[01] 40[0-4]/, asked[index])
      }
      assert.ok(seen.every(({ url }) => !url?.startsWith('/admin')))
    })

    test('no answer goes to another caller of the connections that it keeps', async () => {
      await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const path = `/own/${proxy.name}-${index}`
          const answer = await fetch(`${front.url}/api${path}`, {
            method: index % 3 === 0 ? 'POST' : 'GET',
            ...(index % 3 === 0 && { body: 'x'.repeat(index * 100) }),
            headers: index % 5 === 0 ? {} : bearer(),
          })
          if (index % 5 === 0) assert.equal(answer.status, 401)
          else assert.equal(((await answer.json()) as { url: string }).url, path)
        }),
      )
    })

    test('large bodies go through whole, in pieces and with their length', async () => {
      const body = Buffer.alloc(8 * MIB, 3)
      const hash = createHash('sha256').update(body).digest('hex')
      for (const sent of [body, new Blob([body]).stream()]) {
        const answer = await fetchOnce(`${front.url}/api/upload`, {
          ...{ method: 'POST', body: sent, duplex: 'half' },
          headers: bearer(),
        } as RequestInit)
        const got = (await answer.json()) as { bytes: number; hash: string }
        assert.deepEqual([got.bytes, got.hash], [8 * MIB, hash])
      }
      const down = await fetchOnce(`${front.url}/api/public/download?mib=32`)
      assert.equal((await down.arrayBuffer()).byteLength, 32 * MIB)
    })

    test('events arrive when they happen; who hangs up is gone at the upstream too', async () => {
      const abort = new AbortController()
      const path = `/public/events?${proxy.name}`
      const answer = await fetchOnce(`${front.url}/api${path}`, { signal: abort.signal })
      const reader = answer.body!.getReader()
      const { value } = await reader.read()
      assert.match(new TextDecoder().decode(value), /^data: one\n\n/)
      abort.abort()
      await until(() => gone.includes(path), 'the upstream sees the caller go')
    })

    test('WebSockets are opened with a token only, and end with their caller', async () => {
      const path = `/socket?${proxy.name}`
      const refused = await openWebSocket(`${front.url}/api${path}`, {})
      assert.equal(refused.status, 401)
      const opened = await openWebSocket(`${front.url}/api${path}`, bearer())
      assert.equal(opened.status, 101)
      opened.destroy()
      await until(() => gone.includes(path), 'the upstream sees the WebSocket end')
    })
  })
}
