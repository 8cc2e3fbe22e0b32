import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { framingAttempts } from './support/framing-attempts.ts'
import { openGateway } from './support/open-gateway.ts'
import { OUTSIDE_PROXIES, startOutsideProxy } from './support/outside-proxy.ts'
import { openUpstream } from './support/upstream.ts'

// S21: before proxies that were not written here, which read what we wrote, and not as we read it.
const MIB = 1024 * 1024
const seen: string[] = []
const gone: string[] = []
const upstream = await openUpstream(async (request, response) => {
  const url = request.url ?? ''
  response.once('close', () => gone.push(url))
  if (url.startsWith('/public/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const beat = setInterval(() => response.write('data: one\n\n'), 100)
    response.once('close', () => clearInterval(beat))
    return
  }
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of request) {
    hash.update(chunk)
    bytes += chunk.length
  }
  seen.push(url)
  response.end(JSON.stringify({ url, bytes, hash: hash.digest('hex') }))
})
after(() => upstream.close())

for (const proxy of OUTSIDE_PROXIES) {
  const skip = proxy.isInstalled ? false : `${proxy.command} is not there`
  describe(`before ${proxy.name}`, { skip, timeout: 300_000 }, async () => {
    if (!proxy.isInstalled) return
    const behind = await startOutsideProxy(proxy, Number(new URL(upstream.url).port), {
      // A connection that is closed as it is used again is another test's subject.
      patienceSeconds: 60,
    })
    const gateway = await openGateway({
      upstream: behind.url,
      routes: [
        { path: '/public/*', public: true },
        { path: '/admin', scopes: ['admin'] },
        { path: '/*', scopes: ['read'] },
      ],
    })
    after(async () => {
      await gateway.close()
      await behind.close()
    })
    const bearer = () => ({ authorization: `Bearer ${gateway.token()}` })

    /** @returns what came until the connection was closed */
    function raw(text: string): Promise<string> {
      return new Promise((resolve) => {
        const socket = connect({ port: gateway.port, host: '127.0.0.1' })
        let got = ''
        socket.setEncoding('latin1').on('data', (chunk) => {
          got += chunk
        })
        socket.on('error', () => undefined)
        // What waits for more of a request waits for nothing.
        socket.setTimeout(8000, () => socket.destroy())
        socket.once('close', () => resolve(got))
        socket.write(text, 'latin1')
      })
    }

    test('as many requests arrive as were let through, however they are framed', async () => {
      const before = seen.length
      const texts = framingAttempts('').map((_, index) => {
        const id = `${proxy.name}-${index}-`
        return { id, text: framingAttempts(id)[index]! }
      })
      const answers = await Promise.all(texts.map(({ text }) => raw(text)))
      for (const [index, { id, text }] of texts.entries()) {
        const arrived = seen.filter((url) => url.includes(id)).length
        const answered = (status: RegExp) => answers[index]!.match(status)?.length ?? 0
        const why = JSON.stringify({ text, arrived, answer: answers[index] })
        assert.ok(answered(/HTTP\/1\.[01] 200/g) <= arrived, why)
        // 502: a handshake for a WebSocket was answered as if it were none, by the program or the proxy.
        assert.ok(arrived <= answered(/HTTP\/1\.[01] (200|502)/g), why)
      }
      const arrived = seen.slice(before)
      assert.ok(arrived.length > 0)
      assert.ok(arrived.every((url) => url.startsWith('/public/')))
      assert.ok(answers.some((each) => /^HTTP\/1\.[01] 400/.test(each)))
    })

    test('no path that it reads otherwise comes out at a closed route', async () => {
      const before = seen.length
      const dots = ['..', '%2e%2e', '.%2e', '..;', '%252e%252e', '..%2f', '..%5c', '%2e%2e%2f']
      await Promise.all(
        dots
          .flatMap((each) => [`/api/public/${each}/admin`, `/api/public//${each}//admin`])
          .map((path) => raw(`GET ${path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n`)),
      )
      for (const url of seen.slice(before)) assert.doesNotMatch(url, /^\/+admin/)
    })

    test('no answer goes to another caller of the connections that are kept', async () => {
      await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const path = `/own/${proxy.name}-${index}`
          const answer = await fetch(`${gateway.url}/api${path}`, {
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
        const answer = await fetch(`${gateway.url}/api/upload`, {
          ...{ method: 'POST', body: sent, duplex: 'half' },
          headers: bearer(),
        } as RequestInit)
        const got = (await answer.json()) as { bytes: number; hash: string }
        assert.deepEqual([got.bytes, got.hash], [8 * MIB, hash])
      }
    })

    test('who hangs up is gone at the program behind it too', async () => {
      const path = `/public/events?${proxy.name}`
      const abort = new AbortController()
      const answer = await fetch(`${gateway.url}/api${path}`, { signal: abort.signal })
      await answer.body!.getReader().read()
      abort.abort()
      for (let tries = 0; !gone.includes(path) && tries < 600; tries += 1) await wait(50)
      assert.ok(gone.includes(path))
    })
  })
}
