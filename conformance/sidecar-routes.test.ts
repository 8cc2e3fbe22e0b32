import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ensureLocalCertificate } from '@scopegate/http'
import { serveLabResource } from '@scopegate/lab'
import { openSidecar, type SidecarOptions, type TestSidecar } from './support/open-sidecar.ts'

// How the upstream is reached: over TLS with an authority of the hospital's own, and through a
// proxy; the token goes nowhere else.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-routes-'))
const { cert, key, caFile } = await ensureLocalCertificate({
  ...{ dir: folder, names: ['127.0.0.1'], nowMs: Date.now() },
})
const ca = readFileSync(caFile, 'utf8')
const anyToken = { readAccessToken: () => ({ isNewest: true, scopes: [] }) as never }
const secure = await serveLabResource({ tokens: anyToken, tls: { certificate: cert, key } })
const plain = await serveLabResource({ tokens: anyToken })

/** A proxy that makes tunnels; what it was asked for, and what it saw of the plain text. */
const asked: string[] = []
let seenByProxy = ''
const proxy = createServer((near: Socket) => {
  near.on('error', () => undefined)
  near.once('data', (chunk) => {
    const line = String(chunk).split('\r\n')[0] ?? ''
    asked.push(line)
    const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+) /.exec(line) ?? []
    if (host === '') {
      near.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const far = connect(Number(port), host, () => {
      near.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      near.on('data', (piece) => {
        seenByProxy += piece.toString('latin1')
      })
      near.pipe(far)
      far.pipe(near)
    })
    far.on('error', () => near.destroy())
    near.on('close', () => far.destroy())
  })
})
proxy.listen(0, '127.0.0.1')
await once(proxy, 'listening')
const proxyUrl = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
after(async () => {
  await Promise.all([secure.close(), plain.close()])
  proxy.close()
  rmSync(folder, { recursive: true, force: true })
})

async function using(
  options: SidecarOptions,
  use: (at: TestSidecar) => Promise<void>,
): Promise<void> {
  const at = await openSidecar(options)
  try {
    await use(at)
  } finally {
    await at.close()
  }
}

const handshake =
  'GET /out/lab/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

async function shakeHands(at: TestSidecar): Promise<string> {
  const socket = at.open().on('error', () => undefined)
  socket.write(handshake)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}

describe('an upstream with a certificate of its own authority', () => {
  test('is reached where the authority is named, also for WebSockets', async () => {
    secure.forget()
    await using({ upstream: secure.url, connection: { transport: { ca } } }, async (at) => {
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 200)
      await answer.text()
      assert.equal(secure.requests[0]?.headers.authorization, 'Bearer token-1')
      assert.match(await shakeHands(at), /^HTTP\/1\.1 101 /)
    })
  })

  test('gets no token where it is not: nobody knows who that is', async () => {
    secure.forget()
    await using({ upstream: secure.url }, async (at) => {
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 502)
      const problem = (await answer.json()) as { code: string; fix: string }
      assert.equal(problem.code, 'upstream_unreachable')
      assert.match(problem.fix, /SELF_SIGNED|UNABLE_TO|CERT/)
      assert.match(await shakeHands(at), /^HTTP\/1\.1 502 /)
    })
    assert.equal(secure.requests.length, 0)
  })
})

describe('an upstream behind a proxy', () => {
  test('is reached through a tunnel, in which the proxy reads nothing', async () => {
    secure.forget()
    asked.length = 0
    const transport = { ca, proxy: proxyUrl }
    await using({ upstream: secure.url, connection: { transport } }, async (at) => {
      const answer = await at.fetch('/out/lab/Patient/1', { method: 'POST', body: 'abc' })
      assert.equal(answer.status, 200)
      await answer.text()
      assert.match(await shakeHands(at), /^HTTP\/1\.1 101 /)
    })
    assert.equal(secure.requests.length, 2)
    assert.ok(asked.length > 0 && asked.every((line) => line.startsWith('CONNECT 127.0.0.1:')))
    assert.ok(!seenByProxy.includes('token-1'))
  })

  test('without TLS is reached through a tunnel as well', async () => {
    plain.forget()
    asked.length = 0
    await using(
      { upstream: plain.url, connection: { transport: { proxy: proxyUrl } } },
      async (at) => {
        const answer = await at.fetch('/out/lab/Patient/1')
        assert.equal(answer.status, 200)
        await answer.text()
      },
    )
    assert.match(asked[0] ?? '', /^CONNECT /)
  })

  test('that is not there: 502, and nothing goes another way', async () => {
    plain.forget()
    const transport = { proxy: 'http://127.0.0.1:9' }
    await using({ upstream: plain.url, connection: { transport } }, async (at) => {
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 502)
      await answer.text()
    })
    assert.equal(plain.requests.length, 0)
  })
})
