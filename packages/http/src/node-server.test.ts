import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import {
  createNodeServer,
  createRouter,
  type Handler,
  type NodeServerOptions,
  requestFacts,
} from '@scopegate/http'

async function listening(t: TestContext, handler: Handler, more: Partial<NodeServerOptions> = {}) {
  const errors: unknown[] = []
  const server = createNodeServer({
    handler,
    host: '127.0.0.1',
    port: 0,
    onError: (error) => errors.push(error),
    ...more,
  })
  const { port } = await server.listen()
  t.after(() => server.close())
  return { server, port, errors, url: `http://127.0.0.1:${port}` }
}

/** Sends bytes as they are and reads until the other side closes or `untilMs` passed. */
function raw(port: number, text: string, untilMs = 3000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let got = ''
    const timer = setTimeout(() => socket.destroy(), untilMs)
    socket.on('data', (data) => {
      got += data.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(got)
    })
  })
}
const echo: Handler = (request) =>
  Response.json({ url: request.url, repeated: requestFacts(request).repeatedHeaders })
const get = (target: string, headers = 'Host: a.example\r\n') =>
  `GET ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`

describe('what could be read in two ways', () => {
  const refused: readonly [string, string][] = [
    ['a dot segment', get('/fhir/r4/Observation/../Patient')],
    ['an encoded dot segment', get('/fhir/r4/Observation/%2E%2e/Patient')],
    ['an empty segment', get('//evil.example/x')],
    ['an encoded slash', get('/fhir%2fr4')],
    ['a backslash', get('/a\\b')],
    ['a broken percent sequence', get('/a%zz')],
    [
      'an authority',
      'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
    ],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'],
    ['no host', get('/', '')],
    ['two hosts', get('/', 'Host: a.example\r\nHost: b.example\r\n')],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nxx',
    ],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ],
    [
      'chunks in HTTP/1.0',
      'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two content types', get('/', 'Host: a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n')],
  ]
  for (const [what, bytes] of refused) {
    test(`${what} never reaches a handler`, async (t) => {
      let reached = false
      const { port } = await listening(t, (request) => {
        reached = true
        return echo(request)
      })
      const answer = await raw(port, bytes)
      assert.ok(!reached, answer)
      assert.match(answer, /^(HTTP\/1\.1 4\d\d |$)/)
    })
  }

  test('what stands behind a request that ends its connection is not served', async (t) => {
    const reached: string[] = []
    const handler: Handler = (request) => {
      reached.push(request.url)
      return echo(request)
    }
    const upgrade = (request: IncomingMessage, socket: Duplex) => {
      reached.push(request.url ?? '')
      socket.end()
    }
    const { port } = await listening(t, handler, {
      nodeRoutes: [
        { path: '/socket', handle: (request) => reached.push(request.url ?? ''), upgrade },
      ],
    })
    const refusedFirst = `POST /first HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    const smuggled = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n'
    const socket = `GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    for (const behind of [`${smuggled}${smuggled}`, socket]) {
      const answer = await raw(port, `${refusedFirst}${behind}`, 10_000)
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, answer)
    }
    assert.deepEqual(reached, [])
  })

  test('bytes that are no request do not become a part of an answer that is under way', async (t) => {
    const { port } = await listening(t, () => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('begun')),
      })
      return new Response(body)
    })
    const socket = connect(port, '127.0.0.1')
    let got = ''
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        got += data.toString('latin1')
        if (got.includes('begun')) socket.write('no request\r\n\r\n')
      })
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await closed
    assert.match(got, /^HTTP\/1\.1 200 /)
    assert.equal(got.match(/HTTP\/1\.1 /g)?.length, 1, got)
  })

  test('the authority of an absolute form means nothing', async (t) => {
    const { port } = await listening(t, echo)
    const answer = await raw(port, get('http://evil.example/fhir/r4/metadata?a=b'))
    assert.match(answer, /"url":"http:\/\/a\.example\/fhir\/r4\/metadata\?a=b"/)
  })

  test('a repeated Authorization is passed on with a mark', async (t) => {
    const { port } = await listening(t, echo)
    const headers = 'Host: a.example\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n'
    assert.match(await raw(port, get('/', headers)), /"repeated":\["authorization"\]/)
  })
})

describe('limits', () => {
  test('headers beyond the limit are 431', async (t) => {
    const { port } = await listening(t, echo, { maxHeaderBytes: 4096 })
    const answer = await raw(port, get('/', `Host: a\r\nX-Long: ${'x'.repeat(8000)}\r\n`))
    assert.match(answer, /^HTTP\/1\.1 431 /)
  })

  test('a body that trickles in is cut off, but for uploads', async (t) => {
    const { port } = await listening(
      t,
      async (request) => new Response(String((await request.text()).length)),
      { bodyTimeoutMs: 300, slowUploads: ['/import'] },
    )
    const trickle = (path: string): Promise<string> =>
      new Promise((resolve) => {
        let got = ''
        const socket = connect(port, '127.0.0.1')
        socket.on('data', (data) => {
          got += data.toString('latin1')
        })
        socket.on('error', () => undefined)
        socket.write(`POST ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n`)
        socket.write('Content-Length: 8\r\n\r\n')
        let sent = 0
        const timer = setInterval(() => sent++ < 8 && socket.write('x'), 100)
        socket.on('close', () => {
          clearInterval(timer)
          resolve(got)
        })
      })
    const [cut, whole] = await Promise.all([trickle('/oauth/token'), trickle('/import?x=1')])
    assert.doesNotMatch(cut, / 200 /)
    assert.match(whole, /^HTTP\/1.1 200 /)
  })

  test('a caller that dawdles over its headers is cut off', async (t) => {
    const { port } = await listening(t, echo, { headersTimeoutMs: 300, requestTimeoutMs: 600 })
    const startedAt = Date.now()
    const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow', 8000)
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.ok(Date.now() - startedAt < 5000)
  })

  test('plain HTTP beyond loopback is refused, with what to do', async () => {
    const server = createNodeServer({ handler: echo, host: '0.0.0.0', port: 0 })
    await assert.rejects(server.listen(), /plain HTTP on 0\.0\.0\.0.*behindTlsProxy/)
  })

  test('a port that is taken says so', async (t) => {
    const { port } = await listening(t, echo)
    const second = createNodeServer({ handler: echo, host: '127.0.0.1', port })
    await assert.rejects(second.listen(), new RegExp(`127\\.0\\.0\\.1:${port} is already taken`))
  })
})

describe('dispatch', () => {
  test('node routes come first and get their paths unchanged', async (t) => {
    const { url } = await listening(t, echo, {
      nodeRoutes: [
        { path: '/oauth/*', handle: (request, response) => response.end(`node ${request.url}`) },
      ],
    })
    const text = async (path: string) => (await fetch(url + path)).text()
    assert.equal(await text('/oauth/token?x=1'), 'node /oauth/token?x=1')
    assert.equal(await text('/oauth'), 'node /oauth')
    assert.match(await text('/oauthish'), /"url"/)
  })

  test('what a handler throws is 500 without a word of it', async (t) => {
    const { url, errors } = await listening(t, () => {
      throw new Error('secret detail')
    })
    const response = await fetch(url)
    assert.equal(response.status, 500)
    assert.ok(!(await response.text()).includes('secret'))
    assert.match(String(errors[0]), /secret detail/)
  })

  test('the router: below a path, an exact path, and nothing', async () => {
    const route = createRouter([
      { path: '/fhir/r4/*', handler: () => new Response('fhir') },
      { path: '/healthz', handler: () => new Response('ok') },
    ])
    const ask = async (path: string) => (await route(new Request(`http://a${path}`))).text()
    assert.equal(await ask('/fhir/r4/Patient/1'), 'fhir')
    assert.equal(await ask('/fhir/r4'), 'fhir')
    assert.equal(await ask('/healthz'), 'ok')
    const missing = await route(new Request('http://a/nope', { headers: { Accept: 'text/html' } }))
    assert.equal(missing.status, 404)
    assert.match(missing.headers.get('content-type') ?? '', /html/)
    assert.match(missing.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  })
})

describe('close', () => {
  test('lets running requests end and takes no new ones', async (t) => {
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const { server, url } = await listening(t, async () => {
      await gate
      return new Response('done')
    })
    const running = fetch(url)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const closed = server.close()
    await assert.rejects(fetch(url))
    release()
    assert.equal(await (await running).text(), 'done')
    await closed
  })

  test('cuts off what does not end in time', async (t) => {
    const { server, url } = await listening(t, () => new Promise(() => undefined), { drainMs: 200 })
    const running = fetch(url).then(
      () => 'answered',
      () => 'cut',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    const startedAt = Date.now()
    await server.close()
    assert.equal(await running, 'cut')
    assert.ok(Date.now() - startedAt < 2000)
  })
})
