import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { renderText } from '@scopegate/checks'
import { openSidecar } from './support/open-sidecar.ts'
import { openUpstream } from './support/upstream.ts'

// Scenario 28: whatever a request looks like, the token goes to the upstream of its connection only,
// and only where the connection leads; from pages, proxies and other machines it goes nowhere.
const upstream = await openUpstream()
const sidecar = await openSidecar({
  upstream: `${upstream.url}/r4`,
  connection: {
    paths: ['/metadata', '/Patient/*', '/Group/{id}/$export'],
    methods: ['GET', 'POST'],
  },
})
after(async () => {
  await sidecar.close()
  await upstream.close()
})

/** Who would like to have the token. */
let evilSaw = ''
const evil = createServer((socket: Socket) => {
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      evilSaw += chunk.toString('latin1')
    })
})
await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
const evilPort = (evil.address() as { port: number }).port
after(() => evil.close())

const HOST = `127.0.0.1:${sidecar.port}`

/** Sends a request line and headers. @returns status, body and whether the upstream heard of it */
async function send(line: string, headers: readonly string[] = [], host = HOST) {
  const before = upstream.seen.length
  const text = `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n`
  const got = await sidecar.raw(text)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(got)?.[1]),
    code: /"code":"([a-z_]+)"/.exec(got)?.[1],
    text: got,
    seen: upstream.seen.slice(before),
  }
}

describe('what the connection leads to', () => {
  test('is reached with the token, and nothing else is', async () => {
    for (const [line, target] of [
      ['GET /out/lab/metadata', '/r4/metadata'],
      ['GET /out/lab/metadata?_format=json', '/r4/metadata?_format=json'],
      ['GET /out/lab/Patient', '/r4/Patient'],
      ['GET /out/lab/Patient/1/_history', '/r4/Patient/1/_history'],
      ['GET /out/lab/Patient/a%20b', '/r4/Patient/a%20b'],
      ['GET /out/l%61b/Patient/%31', '/r4/Patient/1'],
      ['GET /out/lab/Group/7/$export', '/r4/Group/7/$export'],
    ] as const) {
      const { status, seen } = await send(line)
      assert.equal(status, 200, line)
      assert.equal(seen[0]?.url, target)
      assert.equal(seen[0]?.headers.authorization, 'Bearer token-1')
    }
  })

  for (const [line, status, code] of [
    // Outside of `paths`, `methods`, the connections.
    ['GET /out/lab', 403, 'connection_path_refused'],
    ['GET /out/lab/', 403, 'connection_path_refused'],
    ['GET /out/lab/admin', 403, 'connection_path_refused'],
    ['GET /out/lab/Patients', 403, 'connection_path_refused'],
    ['GET /out/lab/patient/1', 403, 'connection_path_refused'],
    ['GET /out/lab/metadata/', 403, 'connection_path_refused'],
    ['GET /out/lab/metadata/x', 403, 'connection_path_refused'],
    ['GET /out/lab/metadata;x=/Patient/', 403, 'connection_path_refused'],
    ['GET /out/lab/Group/7', 403, 'connection_path_refused'],
    ['GET /out/lab/Group//$export', 400, undefined],
    ['DELETE /out/lab/Patient/1', 405, 'connection_method_refused'],
    ['TRACE /out/lab/Patient/1', 405, 'connection_method_refused'],
    ['get /out/lab/Patient/1', 400, undefined],
    ['GET /out/other/Patient/1', 404, 'connection_unknown'],
    ['GET /out/', 404, 'connection_unknown'],
    ['GET /out/__proto__/x', 404, 'connection_unknown'],
    ['GET /out/lab@evil.example/Patient/1', 404, 'connection_unknown'],
    // Ways out of a path.
    ['GET /out/lab/Patient/../admin', 400, undefined],
    ['GET /out/lab/Patient/..', 400, undefined],
    ['GET /out/lab/Patient/./1', 400, undefined],
    ['GET /out/lab/Patient/%2e%2e/admin', 400, undefined],
    ['GET /out/lab/Patient/.%2E/admin', 400, undefined],
    ['GET /out/lab/Patient/..;/admin', 400, undefined],
    ['GET /out/lab/Patient/%2e%2e%3b/admin', 400, undefined],
    ['GET /out/lab/Patient/%252e%252e/admin', 400, undefined],
    ['GET /out/lab/Patient%2f..%2fadmin', 400, undefined],
    ['GET /out/lab/Patient/%2f%2fevil.example', 400, undefined],
    ['GET /out/lab/Patient/..\\admin', 400, undefined],
    ['GET /out/lab/Patient/%5c..%5cadmin', 400, undefined],
    ['GET /out/lab/Patient/%c0%ae%c0%ae/admin', 400, undefined],
    ['GET /out/lab/Patient/%00', 400, undefined],
    ['GET /out/lab/Patient/%0d%0aHost:%20evil.example', 400, undefined],
    ['GET /out/lab/Patient/%zz', 400, undefined],
    ['GET /out/lab/Patient/1#/../admin', 400, undefined],
    ['GET //evil.example/out/lab/Patient/1', 400, undefined],
    ['GET /out//evil.example/Patient', 400, undefined],
    ['GET /out/lab//evil.example/x', 400, undefined],
    ['GET /\\evil.example/out/lab/Patient/1', 400, undefined],
    // Other hosts.
    [
      `GET http://127.0.0.2:${evilPort}@evil.example/out/lab/Patient/1`,
      403,
      'sidecar_foreign_host',
    ],
    ['GET http://evil.example/out/lab/Patient/1', 403, 'sidecar_foreign_host'],
    ['GET https://evil.example:443/out/lab/metadata', 403, 'sidecar_foreign_host'],
    ['GET http://evil.example?/out/lab/metadata', 404, undefined],
    ['GET ftp://evil.example/out/lab/metadata', 400, undefined],
    ['CONNECT evil.example:443', undefined, undefined],
    ['GET evil.example:443', 400, undefined],
    ['OPTIONS *', 400, undefined],
    // A second credential.
    ['GET /out/lab/Patient?access_token=x', 400, 'credential_in_query'],
    ['GET /out/lab/Patient?a=1&%61ccess_token=x', 400, 'credential_in_query'],
    ['GET /out/lab/Patient?a=1;Access_Token=x', 400, 'credential_in_query'],
  ] as const) {
    test(`${line} is refused, and the upstream hears nothing of it`, async () => {
      const got = await send(line)
      if (status !== undefined) assert.equal(got.status, status, got.text)
      else assert.ok(Number.isNaN(got.status) || got.status >= 400)
      if (code !== undefined) assert.equal(got.code, code, got.text)
      assert.equal(got.seen.length, 0)
      assert.equal(evilSaw, '')
    })
  }

  test('a refusal names its rule: what is allowed in place of it', async () => {
    const path = await send('GET /out/lab/admin')
    assert.match(path.text, /allowed: \/metadata, \/Patient\/\*, \/Group\/\{id\}\/\$export/)
    const method = await send('DELETE /out/lab/Patient/1')
    assert.match(method.text, /^allow: GET, POST\r$/im)
    const dots = await send('GET /out/lab/Patient/../admin')
    assert.match(dots.text, /dot segment/)
    const trace = sidecar.traces.find((each) => each.path === '/out/lab/admin')
    assert.equal(trace?.outcome, 'refused')
    const check = trace?.checks.find(({ name }) => name === 'route')
    assert.equal(check?.code, 'connection_path_refused')
  })
})

test('a request to no connection leaves a trace too', async () => {
  await send('GET /out/jane-doe-1970/Patient/secret?name=x')
  const { path, outcome, status, checks, endpoint } = sidecar.traces.at(-1)!
  assert.deepEqual([path, outcome, status], ['/out/…/Patient/…?name=…', 'refused', 404])
  assert.equal(endpoint, 'https://gate.example/out')
  assert.match(renderText(checks), /place[\s\S]*route/)
})

describe('the address of the upstream stands', () => {
  test('whatever the request says its host is', async () => {
    for (const host of ['localhost', 'LOCALHOST:1', '[::1]:8080', '127.0.0.1', '127.9.9.9:80']) {
      const { status, seen } = await send('GET /out/lab/metadata', [], host)
      assert.equal(status, 200, host)
      assert.equal(seen[0]?.headers.host, new URL(upstream.url).host)
    }
  })

  test('also for an absolute target that names the sidecar', async () => {
    const { status, seen } = await send(`GET http://${HOST}/out/lab/metadata`)
    assert.equal(status, 200)
    assert.equal(seen[0]?.url, '/r4/metadata')
  })

  for (const host of [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example:8080',
    'evil.example@127.0.0.1',
    '127.0.0.1:80:80',
    '0.0.0.0',
    '127.0.0.1/',
    '',
  ]) {
    test(`a request for ${host || 'no host'} is refused`, async () => {
      const { status, seen } = await send('GET /out/lab/metadata', [], host)
      assert.ok(status === 403 || status === 400, String(status))
      assert.equal(seen.length, 0)
    })
  }

  test('redirects are passed on and never followed; those below the upstream lead back here', async () => {
    const answers = new Map<string, string>([
      ['elsewhere', `http://127.0.0.1:${evilPort}/x`],
      ['scheme-relative', `//127.0.0.1:${evilPort}/x`],
      ['below', '/r4/Patient/2'],
      ['below-absolute', ''],
      ['beside', '/login'],
      ['lookalike', '/r4evil/x'],
    ])
    const moving = await openUpstream((request, response) => {
      const name = request.url?.split('/').pop() ?? ''
      const to = name === 'below-absolute' ? `${moving.url}/r4/Patient/2` : answers.get(name)
      response.writeHead(302, { location: to })
      response.end()
    })
    const at = await openSidecar({ upstream: `${moving.url}/r4` })
    for (const [name, expected] of [
      ['elsewhere', `http://127.0.0.1:${evilPort}/x`],
      ['scheme-relative', `//127.0.0.1:${evilPort}/x`],
      ['below', '/out/lab/Patient/2'],
      ['below-absolute', '/out/lab/Patient/2'],
      ['beside', `${moving.url}/login`],
      ['lookalike', `${moving.url}/r4evil/x`],
    ]) {
      const answer = await at.fetch(`/out/lab/${name}`)
      assert.equal(answer.status, 302)
      assert.equal(answer.headers.get('location'), expected)
      await answer.body?.cancel()
    }
    assert.equal(evilSaw, '')
    await at.close()
    await moving.close()
  })
})

test('no upstream leads its callers to another connection, or to the rest of this server', async () => {
  let to = ''
  const leading = await openUpstream((_request, response) => {
    response.writeHead(307, { location: to })
    response.end()
  })
  const at = await openSidecar({ upstream: `${leading.url}/r4` })
  for (const [location, expected] of [
    ['/r4/../../admin/api', `${leading.url}/admin/api`],
    ['/r4/%2e%2e/other/x', `${leading.url}/other/x`],
    ['../../../other/x', `${leading.url}/other/x`],
    ['..\\..\\other', `${leading.url}/other`],
    ['/r4//other', `${leading.url}/r4//other`],
    ['2?a=b', '/out/lab/Patient/2?a=b'],
    [`${at.url}/out/other/x`, null],
    [`//127.0.0.1:${at.port}/out/other/x`, null],
    [`http://localhost:${at.port}/%6fut/other/x`, null],
    [`http://[::1]:${at.port}/x/../out/other`, null],
    ['http://[', null],
  ] as const) {
    to = location
    const answer = await at.fetch('/out/lab/Patient/1')
    await answer.body?.cancel()
    assert.equal(answer.headers.get('location'), expected, location)
  }
  await at.close()
  await leading.close()
})

describe('who may call on loopback', () => {
  for (const header of [
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Host: 127.0.0.1',
    'X-Forwarded-Proto: https',
    'Forwarded: for=10.0.0.1',
    'Via: 1.1 proxy',
    'X-Real-IP: 10.0.0.1',
  ]) {
    test(`nobody through a proxy (${header.split(':')[0]})`, async () => {
      const { status, code, seen } = await send('GET /out/lab/metadata', [header])
      assert.equal(status, 403)
      assert.equal(code, 'sidecar_forwarded')
      assert.equal(seen.length, 0)
    })
  }

  for (const headers of [
    ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'],
    ['Sec-Fetch-Site: same-site'],
    ['Sec-Fetch-Site: same-origin', `Origin: http://${HOST}`],
    ['Sec-Fetch-Site: none'],
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Origin: http://127.0.0.1:1'],
  ]) {
    test(`no page in a browser (${headers.join(', ')})`, async () => {
      const { status, code, seen } = await send('POST /out/lab/Patient', headers)
      assert.equal(status, 403)
      assert.equal(code, 'sidecar_browser')
      assert.equal(seen.length, 0)
      const preflight = await send('OPTIONS /out/lab/Patient', [
        ...headers,
        'Access-Control-Request-Method: POST',
      ])
      assert.doesNotMatch(preflight.text, /^access-control-/im)
    })
  }

  test('a WebSocket of a page is refused as well', async () => {
    const { status, seen } = await send('GET /out/lab/Patient/1', [
      'Upgrade: websocket',
      'Origin: https://evil.example',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ])
    assert.ok(status === 403 || status === 400)
    assert.equal(seen.length, 0)
  })
})

describe('what the upstream gets of the caller', () => {
  test('is no credential, no cookie and nothing that claims an identity or a hop', async () => {
    const { status, seen } = await send('POST /out/lab/Patient', [
      'Authorization: Bearer mine',
      'authorization : Basic dTpw',
    ])
    assert.equal(status, 400)
    assert.equal(seen.length, 0)
    const got = await sidecar.raw(
      `POST /out/lab/Patient HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nAuthorization: Bearer mine\r\nProxy-Authorization: Basic dTpw\r\nScopegate-Authorization: Bearer ours\r\nDPoP: proof\r\nCookie: session=1\r\nX_Remote_User: root\r\nTE: trailers\r\nX-HTTP-Method-Override: DELETE\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\n{}`,
    )
    assert.match(got, /^HTTP\/1\.1 200 /)
    const { headers, rawHeaders, body } = upstream.seen.at(-1)!
    assert.equal(body, '{}')
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
    assert.equal(names.filter((name) => name === 'authorization').length, 1)
    assert.equal(headers.authorization, 'Bearer token-1')
    assert.equal(headers['x-kept'], 'yes')
    for (const name of [
      ...['proxy-authorization', 'scopegate-authorization', 'dpop', 'cookie', 'x_remote_user'],
      ...['te', 'x-hop', 'x-http-method-override', 'x-forwarded-for', 'forwarded', 'via'],
    ]) {
      assert.ok(!names.includes(name), name)
    }
  })
})

describe('callers that must say who they are', async () => {
  const shared = await openSidecar({ upstream: upstream.url, callersOnLoopback: 'authenticated' })
  const remote = await openSidecar({ upstream: upstream.url, reach: 'network' })
  after(async () => {
    await shared.close()
    await remote.close()
  })
  const call = (at: typeof shared, token: string | undefined, path = '/out/lab/x') =>
    at.fetch(path, {
      headers: {
        authorization: 'Bearer never-looked-at',
        ...(token !== undefined && { 'scopegate-authorization': `Bearer ${token}` }),
      },
    })

  for (const [name, at] of [
    ['on a machine that others use', shared],
    ['from the network', remote],
  ] as const) {
    test(`${name}: with a token for the connection, of a client that it lists`, async () => {
      const before = upstream.seen.length
      for (const [token, status, code] of [
        [undefined, 401, 'token_missing'],
        ['x.y.z', 401, undefined],
        [at.callerToken({ audience: 'https://gate.example/out/other' }), 401, 'audience_mismatch'],
        [at.callerToken({ audience: 'https://gate.example/fhir/r4' }), 401, 'audience_mismatch'],
        [at.callerToken({ seconds: -60 }), 401, undefined],
        [at.callerToken({ scope: 'system/*.rs' }), 403, 'connection_scope_missing'],
        [at.callerToken({ clientId: 'app-other' }), 403, 'connection_caller_unknown'],
      ] as const) {
        const answer = await call(at, token)
        assert.equal(answer.status, status)
        const problem = (await answer.json()) as { code: string; fix: string }
        if (code !== undefined) assert.equal(problem.code, code)
        if (status === 401) {
          assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm="connections"/)
          assert.match(problem.fix, /scopegate-authorization/)
        }
      }
      assert.equal(upstream.seen.length, before)
      const good = await call(at, at.callerToken())
      assert.equal(good.status, 200)
      assert.equal(upstream.seen.at(-1)?.headers.authorization, 'Bearer token-1')
      await good.text()
      assert.equal(at.traces.at(-1)?.clientId, 'app-lab')
    })
  }

  test('learn nothing of which connections there are', async () => {
    const known = await (await call(remote, undefined)).json()
    const unknown = await (await call(remote, undefined, '/out/nothing/x')).json()
    const { correlationId: _one, ...a } = known as Record<string, unknown>
    const { correlationId: _two, ...b } = unknown as Record<string, unknown>
    assert.deepEqual(a, b)
  })

  test('may come through a proxy, and not from a page', async () => {
    const headers = { 'scopegate-authorization': `Bearer ${remote.callerToken()}` }
    const proxied = await remote.fetch('/out/lab/x', {
      headers: { ...headers, 'x-forwarded-for': '10.0.0.1' },
    })
    assert.equal(proxied.status, 200)
    await proxied.text()
    assert.equal(upstream.seen.at(-1)?.headers['x-forwarded-for'], undefined)
    const page = await remote.raw(
      `GET /out/lab/x HTTP/1.1\r\nHost: gate.example\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nScopegate-Authorization: Bearer ${remote.callerToken()}\r\n\r\n`,
    )
    assert.match(page, /^HTTP\/1\.1 403 /)
  })
})

test('no trace and no error holds a token, an id of a path or a value of a query', async () => {
  const answer = await sidecar.fetch('/out/lab/Patient/id-of-jane?birthdate=1970-01-01')
  await answer.text()
  const text = JSON.stringify(sidecar.traces) + JSON.stringify(sidecar.errors)
  assert.doesNotMatch(text, /Bearer|id-of-jane|1970-01-01/)
  const trace = sidecar.traces.at(-1)!
  assert.equal(trace.path, '/out/lab/Patient/…?birthdate=…')
  assert.equal(trace.tokenFingerprint, 'print-of-token-1')
  assert.equal(trace.upstream?.origin, upstream.url)
  assert.equal(trace.upstream?.status, 200)
})

test('a connection to the upstream is not kept open by whoever is refused', async () => {
  const socket = sidecar.open()
  socket.write(`POST /out/lab/admin HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 9999999\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 403 /)
  await once(socket, 'close')
})
