import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openGateway } from './support/open-gateway.ts'
import { openUpstream } from './support/upstream.ts'

// S21 … S25: what two programs would read in two ways is refused, or is made one.
const upstream = await openUpstream()
const gateway = await openGateway({
  upstream: upstream.url,
  routes: [
    { path: '/public/*', public: true },
    { path: '/health', public: true, methods: ['GET'] },
    { path: '/admin', scopes: ['admin'] },
    { path: '/read/*', scopes: ['read'] },
  ],
})
const proxied = await openGateway({
  upstream: upstream.url,
  routes: [{ public: true }],
  trustedProxies: ['127.0.0.1'],
})
after(async () => {
  await gateway.close()
  await proxied.close()
  await upstream.close()
})

const bearer = `Authorization: Bearer ${gateway.token()}`

async function send(
  line: string,
  headers: readonly string[] = [],
  body = '',
  to = gateway,
): Promise<{ status: number; text: string; seen: (typeof upstream.seen)[number] | undefined }> {
  const before = upstream.seen.length
  const text = await to.raw(
    `${line} HTTP/1.1\r\n${['Host: gateway.example', ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`,
  )
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])
  return { status, text, seen: upstream.seen.slice(before)[0] }
}

describe('S21 framing in two ways', () => {
  const post = (headers: string, body: string) =>
    `POST /api/public/x HTTP/1.1\r\nHost: gateway.example\r\n${headers}\r\n\r\n${body}`
  const smuggled = 'GET /api/admin HTTP/1.1\r\nHost: gateway.example\r\n\r\n'
  const forms: Record<string, string> = {
    'CL and TE': post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    'TE and CL': post('Transfer-Encoding: chunked\r\nContent-Length: 100', `0\r\n\r\n${smuggled}`),
    'two lengths': post('Content-Length: 0\r\nContent-Length: 60', smuggled),
    'one length twice': post('Content-Length: 1\r\nContent-Length: 1', 'x'),
    'a list of lengths': post('Content-Length: 1, 1', 'x'),
    'a signed length': post('Content-Length: +1', 'x'),
    'TE xchunked': post('Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`),
    'TE chunked, identity': post('Transfer-Encoding: chunked, identity', '0\r\n\r\n'),
    'TE chunked twice': post(
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked, x',
      '0\r\n\r\n',
    ),
    'a space before the colon': post('Transfer-Encoding : chunked', '0\r\n\r\n'),
    'a folded header': post('Transfer-Encoding:\r\n chunked\r\nX: 1', '0\r\n\r\n'),
    'bare LF': `POST /api/public/x HTTP/1.1\nHost: gateway.example\nContent-Length: 0\n\n`,
    'bare CR': post('X: a\rTransfer-Encoding: chunked', '0\r\n\r\n'),
    NUL: post('X: a\0b', ''),
    'no Host': 'GET /api/public/x HTTP/1.1\r\n\r\n',
    'two Hosts': 'GET /api/public/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'a chunk size that is none': post('Transfer-Encoding: chunked', 'x\r\n\r\n'),
    'a chunk size with sign': post('Transfer-Encoding: chunked', '+1\r\nx\r\n0\r\n\r\n'),
    'a long header': post(`X: ${'a'.repeat(40_000)}`, ''),
    'many headers': post(Array.from({ length: 300 }, (_, i) => `X-${i}: 1`).join('\r\n'), ''),
  }
  for (const [name, text] of Object.entries(forms)) {
    test(`${name}: refused, the connection closed, nothing passed on`, async () => {
      const before = upstream.seen.length
      const got = await gateway.raw(text)
      assert.match(got, /^HTTP\/1\.1 4(?:00|31) /)
      // One answer: what follows is not taken for a request.
      assert.equal(got.match(/HTTP\/1\.1/g)?.length, 1)
      assert.ok(upstream.seen.slice(before).every(({ url }) => url !== '/admin'))
    })
  }

  test('as many requests arrive as were sent, however they are framed and pipelined', async () => {
    let requests = 0
    const counting = await openUpstream((request, response) => {
      requests += 1
      request.resume().on('end', () => response.end('ok'))
    })
    const one = await openGateway({ upstream: counting.url, routes: [{ public: true }] })
    const chunked =
      'POST /api/x HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    const sized = 'POST /api/x HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\nabc'
    const plain = 'GET /api/x HTTP/1.1\r\nHost: g\r\n\r\n'
    const last = 'GET /api/x HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n'
    const got = await one.raw(`${chunked}${sized}${plain}${chunked}${last}`)
    assert.equal(got.match(/HTTP\/1\.1 200/g)?.length, 5)
    assert.equal(requests, 5)
    await one.close()
    await counting.close()
  })
})

describe('S22 headers that may stand once', () => {
  for (const [name, values, detail] of [
    ['Host', ['gateway.example', 'evil.example'], /host/],
    ['Content-Type', ['text/plain', 'application/json'], /content-type/],
    ['X-Request-Id', ['aaaaaaaaaa', 'bbbbbbbbbb'], /x-request-id/],
  ] as const) {
    test(`${name} twice: 400 with one reason, never passed on`, async () => {
      const extra = name === 'Host' ? values.slice(1) : values
      const { status, text, seen } = await send(
        'GET /api/public/x',
        extra.map((value) => `${name}: ${value}`),
      )
      assert.equal(status, 400)
      assert.match(text, detail)
      assert.equal(seen, undefined)
    })
  }

  test('Authorization twice: 400 with its own reason', async () => {
    const { status, text, seen } = await send('GET /api/read/x', [bearer, bearer])
    assert.equal(status, 400)
    assert.match(text, /"code":"several_credentials"/)
    assert.equal(seen, undefined)
  })
})

describe('S23 paths that two programs would read differently', () => {
  const refused = [
    '/api/public/../admin',
    '/api/public/%2e%2e/admin',
    '/api/public/%2E%2e/admin',
    '/api/public/.%2e/admin',
    '/api/public/./../admin',
    '/api/public/..;/admin',
    '/api/public/..;x=1/admin',
    '/api/public/%2e%2e%3b/admin',
    '/api/public/..%2fadmin',
    '/api/public/..%5cadmin',
    '/api/public\\..\\admin',
    '/api//admin',
    '//api/admin',
    '/api/public//admin',
    '/api/public#/../admin',
    '/api/public/x?y#/admin',
    '/api/public/%23/%2e%2e/admin',
    '/api/public/%252e%252e/admin',
    '/api/public/%25%32%65/admin',
    '/api/public/%c0%ae%c0%ae/admin',
    '/api/public/%c0%af../admin',
    '/api/public/%e0%80%af/admin',
    '/api/public/%00/admin',
    '/api/public/%0d%0aX:1',
    '/api/public/%7f',
    '/api/public/%zz',
    '/api/public/%',
    '/api/public/\xc3\xa9',
  ]
  for (const path of refused) {
    test(`${JSON.stringify(path)} is refused`, async () => {
      const { status, seen } = await send(`GET ${path}`)
      assert.equal(status, 400)
      assert.equal(seen, undefined)
    })
  }

  test('what is encoded without need is decoded for both: the route is that of what arrives', async () => {
    for (const path of ['/api/%61dmin', '/%61pi/admin', '/api/adm%69n', '/%61%70%69/%61dmin']) {
      const { status, seen } = await send(`GET ${path}`, [bearer])
      assert.equal(status, 403, path)
      assert.equal(seen, undefined)
    }
    const { status, seen } = await send('GET /api/publi%63/a%2db%20c%c3%A9')
    assert.equal(status, 200)
    assert.equal(seen?.url, '/public/a-b%20c%C3%A9')
  })

  test('the authority of an absolute target means nothing', async () => {
    const { status, seen } = await send('GET http://evil.example/api/public/x')
    assert.equal(status, 200)
    assert.equal(seen?.url, '/public/x')
    assert.equal(seen.headers.host, new URL(upstream.url).host)
    assert.equal((await send('GET http://evil.example/api/admin')).status, 401)
    for (const target of ['evil.example:443', '*', 'ftp://evil.example/api/public/x']) {
      assert.equal((await send(`GET ${target}`)).status, 400)
    }
  })

  test('none of two hundred ways to write it reaches what needs a scope without one', async () => {
    const dots = ['..', '%2e%2e', '.%2e', '%2E.', '%252e%252e', '..;', '..%00', '%c0%ae%c0%ae']
    const slashes = ['/', '//', '/./', '\\', '%2f', '%5c', '%252f', '/;/', '/%20/', '/%09/']
    const before = upstream.seen.length
    for (const dot of dots) {
      for (const slash of slashes) {
        for (const path of [
          `/api/public${slash}${dot}${slash}admin`,
          `/api/public/${dot}${slash}admin`,
          `/api${slash}${dot}${slash}api/admin`,
        ]) {
          const { status } = await send(`GET ${path}`)
          const last = upstream.seen.at(-1)
          // Either refused, or passed on as something that is nothing but below /public.
          if (status === 200) assert.match(last?.url ?? '', /^\/public\/[^.]*(?:%20|;)/, path)
        }
      }
    }
    assert.ok(upstream.seen.slice(before).every(({ url }) => url.startsWith('/public/')))
  })
})

describe('S24 headers that say who or where somebody is', () => {
  const forged = [
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Forwarded-User: root',
    'X_Forwarded_User: root',
    'X-Forwarded-Access-Token: x',
    'Forwarded: for=1.2.3.4;host=evil.example',
    'X-Real-IP: 1.2.3.4',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-HTTP-Method-Override: DELETE',
    'Remote-User: root',
    'REMOTE_USER: root',
    'X-User: root',
    'X_User: root',
    'x_USER: root',
    'Proxy-Authorization: Basic eDp5',
    'TE: trailers',
    'Upgrade: h2c',
    'HTTP2-Settings: AAA',
  ]

  test('do not arrive as they were sent; what arrives is from here', async () => {
    const { status, seen } = await send('GET /api/read/x', [bearer, ...forged, 'X-Own: kept'])
    assert.equal(status, 200)
    const { headers } = seen!
    assert.equal(headers['x-user'], 'lab-user')
    assert.equal(headers['x-forwarded-for'], '127.0.0.1')
    assert.equal(headers['x-forwarded-host'], 'gateway.example')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.equal(headers['x-forwarded-prefix'], '/api')
    assert.equal(headers.forwarded, 'for=127.0.0.1;host="gateway.example";proto=http')
    assert.equal(headers['x-own'], 'kept')
    const text = JSON.stringify(seen!.rawHeaders)
    assert.doesNotMatch(text, /1\.2\.3\.4|evil|root|h2c|DELETE|trailers|authorization/i)
  })

  test('an anonymous caller of a public route is nobody', async () => {
    const { seen } = await send('GET /api/public/x', ['X-User: root', 'X_User: root', bearer])
    assert.doesNotMatch(JSON.stringify(seen!.rawHeaders), /root|x.user|authorization/i)
  })

  test('of a trusted proxy the chain of addresses is kept, and ours added', async () => {
    const { seen } = await send('GET /api/x', ['X-Forwarded-For: 1.2.3.4, 10.0.0.9'], '', proxied)
    assert.equal(seen?.headers['x-forwarded-for'], '1.2.3.4, 10.0.0.9, 127.0.0.1')
    const { seen: odd } = await send('GET /api/x', ['X-Forwarded-For: "><script>'], '', proxied)
    assert.equal(odd?.headers['x-forwarded-for'], '127.0.0.1')
  })

  test('Connection takes out what it names, but nothing that is meant for whoever answers', async () => {
    const before = upstream.seen.length
    const kept = await gateway.raw(
      `GET /api/read/x HTTP/1.1\r\nHost: g\r\n${bearer}\r\nX-Hop: 1\r\nX-User: x\r\nConnection: close, X-Hop, X-User\r\n\r\n`,
    )
    assert.match(kept, /^HTTP\/1\.1 200/)
    const seen = upstream.seen[before]!
    assert.equal(seen.headers['x-hop'], undefined)
    assert.equal(seen.headers['x-user'], 'lab-user')
    for (const name of ['authorization', 'Cookie', 'host', 'content-length', 'Transfer-Encoding']) {
      const got = await gateway.raw(
        `GET /api/read/x HTTP/1.1\r\nHost: g\r\n${bearer}\r\nConnection: close, ${name}\r\n\r\n`,
      )
      assert.match(got, /^HTTP\/1\.1 400/, name)
    }
  })
})

describe('S25 nothing but the route decides', () => {
  test('no user agent, no other header and no method makes a closed route open', async () => {
    for (const headers of [
      ['User-Agent: kube-probe/1.29'],
      ['User-Agent: GoogleHC/1.0'],
      ['X-Original-URI: /api/health'],
      ['Referer: http://gateway.example/api/health'],
    ]) {
      assert.equal((await send('GET /api/admin', headers)).status, 401)
    }
    for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'POST']) {
      assert.equal((await send(`${method} /api/admin`)).status, 401, method)
      // Public for GET only; others are not told more than that they need a token.
      const isRead = method === 'HEAD'
      assert.equal((await send(`${method} /api/health`)).status, isRead ? 200 : 401, method)
    }
    assert.equal((await send('GET /api/health/../admin')).status, 400)
    assert.equal((await send('GET /api/health/x')).status, 401)
    assert.equal((await send('GET /api/healthz')).status, 401)
  })
})
