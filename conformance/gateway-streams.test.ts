import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { StorageError } from '@scopegate/storage'
import { type KeySource, keysFromSet, keysFromUrl } from '@scopegate/token-verify'
import { drained } from './support/drained.ts'
import { openGateway, type TestGateway } from './support/open-gateway.ts'
import { openUpstream } from './support/upstream.ts'

// S11, S13, S14, S15 and what else passes through: bytes, events, trailers, failures of the upstream.
// SCOPEGATE_TEST_LARGE=1 sends the whole gigabyte of S13 each way.
const MIB = 1024 * 1024
const LARGE_MIB = process.env.SCOPEGATE_TEST_LARGE ? 1024 : 96
let uploaded = 0
let written = 0
const upstream = await openUpstream(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
  if (pathname === '/upload') {
    uploaded = 0
    request.on('data', (chunk: Buffer) => {
      uploaded += chunk.length
    })
    request.on('end', () => response.end(String(uploaded)))
    return
  }
  if (pathname === '/compressed') {
    let bytes = 0
    for await (const chunk of request) bytes += (chunk as Buffer).length
    response.end(JSON.stringify({ encoding: request.headers['content-encoding'], bytes }))
    return
  }
  if (pathname === '/download') {
    written = 0
    const chunk = Buffer.alloc(MIB)
    const total = Number(searchParams.get('mib'))
    for (let i = 0; i < total && !response.destroyed; i += 1) {
      written += MIB
      if (!response.write(chunk)) await drained(response)
    }
    response.end()
    return
  }
  if (pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    request.once('close', () => undefined)
    for (const word of ['one', 'two']) {
      response.write(`data: ${word}\n\n`)
      await wait(30)
    }
    // It stays open: what was written must arrive all the same.
    return
  }
  if (pathname === '/trailers') {
    response.writeHead(200, { trailer: 'X-Sum', 'transfer-encoding': 'chunked' })
    response.write('body')
    response.addTrailers({ 'X-Sum': '42' })
    response.end()
    return
  }
  if (pathname === '/cookies') {
    response.setHeader('set-cookie', ['a=1', 'b=2; Path=/'])
    response.setHeader('connection', 'close, x-hop')
    response.setHeader('x-hop', '1')
    response.statusCode = 201
    response.statusMessage = 'Made'
    response.end('ok')
    return
  }
  if (pathname === '/moved') {
    response.writeHead(302, { location: searchParams.get('to') ?? '' })
    response.end()
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
const gateway = await openGateway({ upstream: upstream.url })
after(async () => {
  await gateway.close()
  await upstream.close()
})

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code

/** A gateway for one test. */
async function using(
  options: Parameters<typeof openGateway>[0],
  use: (at: TestGateway) => Promise<void>,
): Promise<void> {
  const at = await openGateway(options)
  try {
    await use(at)
  } finally {
    await at.close()
  }
}

describe('what passes through', () => {
  test('status, reason, repeated headers and what is for the hop alone', async () => {
    const answer = await gateway.fetch('/api/cookies')
    assert.equal(answer.status, 201)
    assert.equal(answer.statusText, 'Made')
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2; Path=/'])
    assert.equal(answer.headers.get('x-hop'), null)
  })

  test('every method, with and without a body', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      assert.equal(await (await gateway.fetch('/api/m', { method })).text(), method)
    }
    const head = await gateway.fetch('/api/m', { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(await head.text(), '')
  })

  test('compressed bodies as they are: nothing is unpacked (S27)', async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024))
    const answer = await gateway.fetch('/api/compressed', {
      method: 'POST',
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      body: bomb,
    })
    assert.deepEqual(await answer.json(), { encoding: 'gzip', bytes: bomb.length })
  })

  test('events, each when it happens', async () => {
    const abort = new AbortController()
    const answer = await gateway.fetch('/api/events', { signal: abort.signal })
    let got = ''
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      got += chunk
      if (got.includes('two')) break
    }
    assert.equal(got, 'data: one\n\ndata: two\n\n')
    abort.abort()
  })

  test('trailers of an answer', async () => {
    const got = await gateway.raw(
      `GET /api/trailers HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${gateway.token()}\r\nConnection: close\r\n\r\n`,
    )
    assert.match(got, /\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n$/i)
  })

  test('addresses of the upstream become addresses of the API, others stay', async () => {
    for (const [to, expected] of [
      [`${upstream.url}/next?x=1`, '/api/next?x=1'],
      ['/next', '/api/next'],
      ['next', 'next'],
      ['//evil.example/x', '//evil.example/x'],
      ['https://elsewhere.example/', 'https://elsewhere.example/'],
    ] as const) {
      const answer = await gateway.fetch(`/api/moved?to=${encodeURIComponent(to)}`, {
        redirect: 'manual',
      })
      assert.equal(answer.headers.get('location'), expected)
    }
  })
})

describe('S11 an upstream in trouble', () => {
  test('that nobody listens at: 502 with its reason; then it is left alone for a moment', async () => {
    const closed = await openUpstream()
    await closed.close()
    await using(
      { upstream: closed.url, limits: { breakerFailures: 3, breakerMs: 60_000 } },
      async (at) => {
        for (let i = 0; i < 3; i += 1) {
          const answer = await at.fetch('/api/x')
          assert.equal(answer.status, 502)
          assert.equal(await codeOf(answer), 'upstream_unreachable')
        }
        const paused = await at.fetch('/api/x')
        assert.equal(paused.status, 503)
        assert.ok(Number(paused.headers.get('retry-after')) > 0)
        assert.equal(await codeOf(paused), 'upstream_paused')
        assert.equal(at.traces.length, 4)
        assert.ok(at.traces.every(({ outcome }) => outcome === 'failed'))
        const upstreamCheck = at.traces[0]?.checks.find(({ name }) => name === 'upstream')
        assert.equal(upstreamCheck?.code, 'upstream_unreachable')
      },
    )
  })

  test('whose name nobody knows: 502', async () => {
    await using({ upstream: 'http://no-such-host.invalid' }, async (at) => {
      const answer = await at.fetch('/api/x')
      assert.equal(answer.status, 502)
      assert.equal(await codeOf(answer), 'upstream_unreachable')
    })
  })

  test('that comes back is used again: the first who tries finds out', async () => {
    let isBroken = true
    const shaky = await openUpstream((request, response) => {
      if (isBroken) request.socket.destroy()
      else response.end('back')
    })
    await using(
      { upstream: shaky.url, limits: { breakerFailures: 2, breakerMs: 50 } },
      async (at) => {
        const post = () => at.fetch('/api/x', { method: 'POST' })
        for (let i = 0; i < 2; i += 1) assert.equal((await post()).status, 502)
        assert.equal((await post()).status, 503)
        isBroken = false
        for (let i = 0; i < 200 && (await post()).status !== 200; i += 1) await wait(20)
        assert.equal((await post()).status, 200)
      },
    )
    await shaky.close()
  })

  test('that never answers: 504; one that stops in the middle is cut', async () => {
    await using({ upstream: upstream.url, limits: { headersTimeoutMs: 200 } }, async (at) => {
      const answer = await at.fetch('/api/silent')
      assert.equal(answer.status, 504)
      assert.equal(await codeOf(answer), 'upstream_timeout')
    })
    const answer = await gateway.fetch('/api/cut')
    assert.equal(answer.status, 200)
    await assert.rejects(answer.text())
  })

  test('gets a request that changes something once, whatever happens', async () => {
    let posts = 0
    let gets = 0
    const dropping = await openUpstream((request) => {
      if (request.method === 'POST') posts += 1
      else gets += 1
      request.socket.destroy()
    })
    await using({ upstream: dropping.url }, async (at) => {
      assert.equal((await at.fetch('/api/x', { method: 'POST', body: 'once' })).status, 502)
      assert.equal(posts, 1)
      assert.equal((await at.fetch('/api/x')).status, 502)
      assert.equal(gets, 2)
    })
    await dropping.close()
  })

  test('that answers with something else than HTTP, or with two ends: 502', async () => {
    for (const text of [
      'SSH-2.0-OpenSSH_9.2\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ]) {
      const tcp = createTcpServer((socket: Socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end(text))
      })
      await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
      const { port } = tcp.address() as { port: number }
      await using({ upstream: `http://127.0.0.1:${port}` }, async (at) => {
        const answer = await at.fetch('/api/x', { method: 'POST' })
        assert.equal(answer.status, 502, text)
        assert.equal(await codeOf(answer), 'upstream_broken')
      })
      tcp.close()
    }
  })
})

test('keys of an issuer that cannot be had are an outage, never the fault of the token', async () => {
  const keys = keysFromUrl('http://127.0.0.1:9/jwks', {
    network: { allowLoopback: true, allowPrivateHosts: 'any' },
    nowMs: Date.now,
  })
  await using({ upstream: upstream.url, keys }, async (at) => {
    const answer = await at.fetch('/api/x')
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.equal(await codeOf(answer), 'keys_unavailable')
    assert.equal(answer.headers.get('www-authenticate'), null)
    assert.equal(at.traces[0]?.outcome, 'failed')
  })
})

test('a database that is away is an outage, too, and no unexplained 500', async () => {
  const keys: KeySource = {
    ...keysFromSet({ keys: [] }),
    find: async () => {
      throw new StorageError('unavailable', 'the database cannot be reached at the moment')
    },
  }
  await using({ upstream: upstream.url, keys }, async (at) => {
    const answer = await at.fetch('/api/x')
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.equal(await codeOf(answer), 'caller_lookup_failed')
    assert.equal(answer.headers.get('www-authenticate'), null)
    assert.equal(at.traces[0]?.outcome, 'failed')
  })
})

describe('an answer that cannot be passed on', () => {
  for (const [what, text] of [
    ['has a status that there is not', 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok'],
    ['has headers without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['switches protocols unasked', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    [
      'is of a length that cannot be',
      `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(20)}\r\n\r\nok`,
    ],
  ] as const) {
    test(`since it ${what}: 502 with its reason`, async () => {
      const tcp = createTcpServer((socket: Socket) => {
        socket.on('error', () => undefined).once('data', () => socket.write(text))
      })
      await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
      const { port } = tcp.address() as { port: number }
      await using({ upstream: `http://127.0.0.1:${port}` }, async (at) => {
        const answer = await at.fetch('/api/x')
        assert.equal(answer.status, 502)
        assert.equal(await codeOf(answer), 'upstream_broken')
      })
      tcp.close()
    })
  }
})

describe('S13 large and slow', () => {
  test('a reader who is slow makes the upstream wait; memory stays flat', async () => {
    const socket = gateway.open()
    socket.write(
      `GET /api/download?mib=512 HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${gateway.token()}\r\n\r\n`,
    )
    await once(socket, 'data')
    socket.pause()
    // Until nothing moves any more.
    for (let before = -1; before !== written; await wait(300)) before = written
    assert.ok(written < 64 * MIB, `${written / MIB} MiB were taken for a reader who reads nothing`)
    socket.destroy()
  })

  test('a reader who reads nothing at all does not keep its connection to the upstream', async () => {
    await using(
      { upstream: upstream.url, limits: { bodyTimeoutMs: 300, connections: 1 } },
      async (at) => {
        const socket = at.open().on('error', () => undefined)
        socket.write(
          `GET /api/download?mib=512 HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${at.token()}\r\n\r\n`,
        )
        await once(socket, 'data')
        socket.pause()
        assert.equal((await at.fetch('/api/x')).status, 200)
        socket.destroy()
      },
    )
  })

  test(`a download and an upload of ${LARGE_MIB} MiB go through whole, without being kept`, {
    timeout: 600_000,
  }, async (context) => {
    const warnings: string[] = []
    const warned = ({ message }: Error) => warnings.push(message)
    process.on('warning', warned)
    context.after(() => process.off('warning', warned))
    // What nobody holds any more does not count.
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const held = () => {
      collect()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return arrayBuffers + heapUsed
    }
    const before = held()
    const most: number[] = []
    let got = 0
    const down = await gateway.fetch(`/api/download?mib=${LARGE_MIB}`)
    for await (const chunk of down.body!) {
      got += chunk.length
      if (got > (most.length + 1) * 24 * MIB) most.push(held() - before)
    }
    assert.equal(got, LARGE_MIB * MIB)
    const piece = new Uint8Array(MIB)
    let sent = 0
    const up = await gateway.fetch('/api/upload', {
      method: 'POST',
      body: new ReadableStream({
        pull(controller) {
          if (sent === LARGE_MIB) {
            controller.close()
            return
          }
          sent += 1
          if (sent % 24 === 0) most.push(held() - before)
          controller.enqueue(piece)
        },
      }),
      duplex: 'half',
    } as RequestInit)
    assert.equal(await up.text(), String(LARGE_MIB * MIB))
    // Freed memory may be counted a moment longer; what is kept is there at most of the moments.
    const usual = most.sort((x, y) => x - y)[Math.floor(most.length / 2)] ?? 0
    assert.deepEqual(warnings, [], 'nor is anything else for each piece')
    context.diagnostic(`${(usual / MIB).toFixed(1)} MiB more were held than before`)
    assert.ok(usual < 50 * MIB, `${most.map((each) => each / MIB)} MiB were held`)
  })
})

describe('S14 bodies that are too large', () => {
  const small = { upstream: upstream.url, limits: { bodyBytes: 1000 } }

  test('are refused by their length before the upstream sees any of it', async () => {
    await using(small, async (at) => {
      uploaded = -1
      const answer = await at.fetch('/api/upload', { method: 'POST', body: 'x'.repeat(1001) })
      assert.equal(answer.status, 413)
      assert.equal(await codeOf(answer), 'request_too_large')
      assert.equal(uploaded, -1)
      const fits = await at.fetch('/api/upload', { method: 'POST', body: 'x'.repeat(1000) })
      assert.equal(await fits.text(), '1000')
    })
  })

  test('in pieces without a length are refused when the limit is passed', async () => {
    await using(small, async (at) => {
      const got = await at.raw(
        `POST /api/upload HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${at.token()}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${`200\r\n${'x'.repeat(512)}\r\n`.repeat(20)}0\r\n\r\n`,
      )
      assert.match(got, /^HTTP\/1\.1 413 /)
      assert.ok(uploaded <= 1000)
      assert.equal(at.traces[0]?.outcome, 'refused')
    })
  })

  test('are not even sent where the caller asks first', async () => {
    await using(small, async (at) => {
      const ask = (length: number, token: string) =>
        `POST /api/upload HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`
      assert.match(await at.raw(ask(5000, at.token())), /^HTTP\/1\.1 413 /)
      assert.match(await at.raw(ask(5000, 'no.such.token')), /^HTTP\/1\.1 401 /)
      const socket = at.open()
      socket.setEncoding('latin1')
      socket.write(ask(3, at.token()))
      const [go] = await once(socket, 'data')
      assert.match(go, /^HTTP\/1\.1 100 Continue/)
      socket.write('abc')
      const [done] = await once(socket, 'data')
      assert.match(done, /^HTTP\/1\.1 200 /)
      socket.destroy()
    })
  })
})

describe('S15 callers who take their time', () => {
  test('over headers or a body are cut off, and others are served meanwhile', async () => {
    await using(
      { upstream: upstream.url, server: { headersTimeoutMs: 500, bodyTimeoutMs: 500 } },
      async (at) => {
        const slow = Array.from({ length: 200 }, (_, index) => {
          const socket = at
            .open()
            .on('error', () => undefined)
            .resume()
          const isBody = index % 2 === 0
          socket.write(
            isBody
              ? `POST /api/upload HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${at.token()}\r\nContent-Length: 100000\r\n\r\n`
              : 'GET /api/x HTTP/1.1\r\nHost: g\r\n',
          )
          const drip = setInterval(() => socket.write(isBody ? 'x' : 'X: 1\r\n'), 100)
          return new Promise<void>((resolve) =>
            socket.on('close', () => {
              clearInterval(drip)
              resolve()
            }),
          )
        })
        for (let i = 0; i < 20; i += 1) {
          assert.equal((await at.fetch('/api/x')).status, 200)
        }
        await Promise.all(slow)
      },
    )
  })
})
