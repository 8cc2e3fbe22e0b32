import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { ask, connectionTo, failureOf, tokenOf } from './test-support/ask.ts'
import { PLAIN_TOKEN, startScriptedPeer } from './test-support/scripted-peer.ts'
import { makeTestCertificates } from './test-support/test-certificates.ts'
import { decideProxy } from './transport/decide-proxy.ts'
import type { WrittenConnection } from './written/written-connection.ts'

const secrets = () => ['s3cret']

describe('Transport of token requests', () => {
  test('a private authority is trusted beside the others, and only where it is named', async () => {
    const { ca, server } = await makeTestCertificates()
    const peer = await startScriptedPeer({ body: PLAIN_TOKEN }, server)
    const trusting = connectionTo(peer.tokenEndpoint, {}, { secrets, ca })
    assert.equal(tokenOf(await ask(trusting)).accessToken, 'an-access-token')
    const failure = failureOf(await ask(connectionTo(peer.tokenEndpoint)))
    assert.equal(failure.code, 'tls_untrusted')
    assert.equal(failure.wasSent, false)
    assert.equal(peer.requests.length, 1)
  })

  test('a client certificate is shown (RFC 8705), at the address that the metadata has for it', async () => {
    const { ca, server, client } = await makeTestCertificates()
    const shown: string[] = []
    const peer = await startScriptedPeer(
      (request) => {
        shown.push(request.path)
        return request.method === 'GET'
          ? {
              body: {
                issuer: peer.origin,
                token_endpoint: `${peer.origin}/token`,
                mtls_endpoint_aliases: { token_endpoint: `${peer.origin}/mtls` },
              },
            }
          : { body: PLAIN_TOKEN }
      },
      { ...server, ca },
    )
    const written = { issuer: peer.origin, authentication: { method: 'tls_client_auth' } } as const
    const connection = connectionTo(
      peer.tokenEndpoint,
      { ...written, tokenEndpoint: undefined },
      {
        ca,
        certificate: { certificate: client.cert, key: () => client.key },
      },
    )
    tokenOf(await ask(connection))
    assert.deepEqual(shown, ['/.well-known/openid-configuration', '/mtls'])
    assert.equal(peer.requests[1]?.form.get('client_id'), 'lab-reader')
    const without = connectionTo(peer.tokenEndpoint, {}, { secrets, ca })
    assert.equal(failureOf(await ask(without)).wasSent, true)
    assert.equal(peer.requests.length, 2)
  })

  test('a proxy is a tunnel, with its password, and ends at the provider', async () => {
    const { ca, server } = await makeTestCertificates()
    const peer = await startScriptedPeer({ body: PLAIN_TOKEN }, server)
    const proxy = await startProxy('user', 'pass word')
    const through = (written: Partial<WrittenConnection>, proxyUrl?: string) =>
      connectionTo(peer.tokenEndpoint, written, {
        secrets,
        ca,
        ...(proxyUrl && { proxy: proxyUrl }),
      })

    tokenOf(await ask(through({}, `http://user:pass%20word@127.0.0.1:${proxy.port}`)))
    assert.deepEqual(proxy.targets, [new URL(peer.origin).host])

    const refused = failureOf(await ask(through({}, `http://user:wrong@127.0.0.1:${proxy.port}`)))
    assert.equal(refused.code, 'proxy_authentication')
    assert.equal(refused.wasSent, false)
    assert.ok(!JSON.stringify(refused).includes('wrong'))

    const environment = { HTTPS_PROXY: `http://user:pass%20word@127.0.0.1:${proxy.port}` }
    tokenOf(await ask(through({}), { environment }))
    assert.equal(proxy.targets.length, 2)
    tokenOf(await ask(through({}), { environment: { ...environment, NO_PROXY: '127.0.0.1' } }))
    tokenOf(await ask(through({ proxy: 'none' }), { environment }))
    assert.equal(proxy.targets.length, 2)
    assert.equal(peer.requests.length, 4)
  })

  test('a request that did not leave is told from one that may have arrived', async (t) => {
    const peer = await startScriptedPeer()
    await t.test('nobody listens', async () => {
      const closed = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => closed.once('listening', resolve))
      const { port } = closed.address() as AddressInfo
      await new Promise((resolve) => closed.close(resolve))
      const failure = failureOf(await ask(connectionTo(`http://127.0.0.1:${port}/token`)))
      assert.deepEqual([failure.kind, failure.wasSent], ['network', false])
    })
    await t.test('no such name', async () => {
      const connection = connectionTo('https://nobody.invalid/token')
      const failure = failureOf(await ask(connection))
      assert.deepEqual([failure.kind, failure.wasSent], ['network', false])
    })
    await t.test('the connection ends without an answer', async () => {
      peer.answer({ hangUp: true })
      const failure = failureOf(await ask(connectionTo(peer.tokenEndpoint)))
      assert.deepEqual([failure.kind, failure.wasSent], ['network', true])
    })
    await t.test('no answer in time', async () => {
      peer.answer({ hang: true })
      const failure = failureOf(await ask(connectionTo(peer.tokenEndpoint, { timeoutSeconds: 2 })))
      assert.deepEqual([failure.code, failure.wasSent], ['network_timeout', true])
    })
    await t.test('a server that never speaks TLS', async () => {
      const sockets = new Set<Socket>()
      const mute = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
      await new Promise((resolve) => mute.once('listening', resolve))
      const { port } = mute.address() as AddressInfo
      const written = { timeoutSeconds: 1 }
      const failure = failureOf(await ask(connectionTo(`https://127.0.0.1:${port}/t`, written)))
      assert.deepEqual([failure.code, failure.wasSent], ['network_timeout', false])
      for (const socket of sockets) socket.destroy()
      mute.close()
    })
    await t.test('the caller gives up', async () => {
      peer.answer({ hang: true })
      const { createTokenRequester } = await import('./create-token-requester.ts')
      const connection = connectionTo(peer.tokenEndpoint)
      const given = new AbortController()
      const before = peer.requests.length
      const pending = createTokenRequester({ nowMs: Date.now }).request(
        { connection, scopes: [], audience: undefined, subject: undefined },
        { signal: given.signal },
      )
      while (peer.requests.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
      given.abort(new Error('lease ends'))
      assert.equal(failureOf(await pending).wasSent, true)
    })
  })

  test('metadata cannot lead to plain HTTP, nor to this machine', async () => {
    const { ca, server } = await makeTestCertificates()
    for (const target of ['http://idp.example/token', 'ftp://idp.example/token']) {
      const peer = await startScriptedPeer(
        () => ({ body: { issuer: peer.origin, token_endpoint: target } }),
        server,
      )
      const written = { issuer: peer.origin, tokenEndpoint: undefined }
      const failure = failureOf(await ask(connectionTo('', written, { secrets, ca })))
      assert.deepEqual([failure.code, failure.wasSent], ['plain_http', false])
    }
  })
})

describe('Metadata', () => {
  test('must state the issuer exactly, or one of its other names', async () => {
    const peer = await startScriptedPeer(({ method }) =>
      method === 'GET'
        ? { body: { issuer: 'https://public.example', token_endpoint: peer.tokenEndpoint } }
        : { body: PLAIN_TOKEN },
    )
    const written = { issuer: peer.origin, tokenEndpoint: undefined }
    const failure = failureOf(await ask(connectionTo('', written)))
    assert.equal(failure.code, 'discovery_issuer_mismatch')
    assert.match(`${failure.cause} ${failure.fix}`, /https:\/\/public\.example/)
    assert.equal(
      peer.requests.some(({ method }) => method === 'POST'),
      false,
    )
    tokenOf(await ask(connectionTo('', { ...written, aliases: ['https://public.example'] })))
  })

  test('is read once an hour, looked for in two places, and serves on while the server is away', async () => {
    const peer = await startScriptedPeer(({ method, path }) => {
      if (method === 'POST') return { body: PLAIN_TOKEN }
      return path === '/.well-known/oauth-authorization-server'
        ? { body: { issuer: peer.origin, token_endpoint: peer.tokenEndpoint } }
        : { status: 404 }
    })
    let nowMs = Date.now()
    const { createTokenRequester } = await import('./create-token-requester.ts')
    const requester = createTokenRequester({ nowMs: () => nowMs })
    const connection = connectionTo('', { issuer: peer.origin, tokenEndpoint: undefined })
    const target = { connection, scopes: [], audience: undefined, subject: undefined }
    const next = () => requester.request(target, { signal: AbortSignal.timeout(30_000) })
    tokenOf(await next())
    tokenOf(await next())
    assert.deepEqual(
      peer.requests.map(({ path }) => path),
      [
        '/.well-known/openid-configuration',
        '/.well-known/oauth-authorization-server',
        '/token',
        '/token',
      ],
    )
    nowMs += 2 * 3_600_000
    peer.answer(({ method }) => (method === 'POST' ? { body: PLAIN_TOKEN } : { status: 503 }))
    tokenOf(await next())
    nowMs += 25 * 3_600_000
    const failure = failureOf(await next())
    assert.deepEqual([failure.kind, failure.wasSent], ['temporary', false])
  })

  test('SMART metadata is below the FHIR base, and may do without an issuer', async () => {
    const peer = await startScriptedPeer(({ method }) =>
      method === 'POST' ? { body: PLAIN_TOKEN } : { body: { token_endpoint: peer.tokenEndpoint } },
    )
    const written = { preset: 'epic', url: `${peer.origin}/r4/`, tokenEndpoint: undefined } as const
    tokenOf(await ask(connectionTo('', written)))
    assert.equal(peer.requests[0]?.path, '/r4/.well-known/smart-configuration')
  })
})

describe('The proxy of the environment', () => {
  const https = new URL('https://idp.clinic.example/token')
  const by = (environment: Record<string, string>, url = https, setting = 'environment') =>
    decideProxy(url, setting, environment)

  test('is that of HTTPS_PROXY, in either case, without a scheme too, and ALL_PROXY after it', () => {
    assert.deepEqual(by({}), { shown: 'none' })
    assert.equal(by({ HTTPS_PROXY: 'proxy:3128' }).url, 'http://proxy:3128')
    assert.equal(by({ https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1' }).url, 'http://a:1')
    assert.equal(by({ ALL_PROXY: 'http://c:1' }).url, 'http://c:1')
    assert.equal(by({ HTTP_PROXY: 'http://c:1' }).url, undefined)
    assert.equal(by({ HTTPS_PROXY: 'http://u:p@c:1' }).shown, 'http://c:1 (HTTPS_PROXY)')
  })

  test('is not used for what NO_PROXY lists', () => {
    const HTTPS_PROXY = 'http://proxy:3128'
    const cases = [
      ['*', true],
      ['clinic.example', true],
      ['.clinic.example', true],
      ['*.clinic.example', true],
      ['localhost, idp.clinic.example', true],
      ['idp.clinic.example:443', true],
      ['idp.clinic.example:8443', false],
      ['linic.example', false],
      ['other.example', false],
      ['', false],
    ] as const
    for (const [list, isExcepted] of cases) {
      const { url } = by({ HTTPS_PROXY, NO_PROXY: list })
      assert.equal(url === undefined, isExcepted, list)
    }
    const six = new URL('https://[2001:db8::1]:8443/token')
    assert.equal(by({ HTTPS_PROXY, NO_PROXY: '[2001:db8::1]:8443' }, six).url, undefined)
    assert.equal(by({ HTTPS_PROXY, NO_PROXY: '[2001:db8::1]:443' }, six).url, HTTPS_PROXY)
  })
})

/** A forward proxy that wants a password. */
async function startProxy(user: string, password: string) {
  const targets: string[] = []
  const sockets = new Set<Socket>()
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const server = createHttpServer()
  server.on('connect', (request, socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (request.headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    targets.push(request.url ?? '')
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const upstream = connectTo(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket)
      socket.pipe(upstream)
    })
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, targets }
}
