import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import type { TokenFailure } from '@scopegate/oauth-model'
import { until } from './operating/operator.ts'
import { openSidecar, type TestSidecar } from './support/open-sidecar.ts'
import { openUpstream } from './support/upstream.ts'

// Scenarios 26 and 27: a token that is refused is renewed once, for all who hold it, and the request
// is sent once more where it is still there; without a token nothing is sent at all.
const MIB = 1024 * 1024

/** Takes one token; `accepts` names it. */
async function openGuarded(
  accepts: (token: string) => boolean,
  refuse = (response: ServerResponse) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' })
    response.end('refused')
  },
) {
  const got: { method: string; token: string; body: string; path: string }[] = []
  const upstream = await openUpstream(async (request: IncomingMessage, response) => {
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '')
    const { method = '', url: path = '' } = request
    if (path.startsWith('/early') && !accepts(token)) {
      got.push({ method, token, path, body: '' })
      return refuse(response)
    }
    const body = await text(request)
    got.push({ method, token, body, path })
    if (!accepts(token)) return refuse(response)
    response.end(JSON.stringify({ length: body.length }))
  })
  return { ...upstream, got }
}

async function using(
  upstream: Awaited<ReturnType<typeof openGuarded>>,
  use: (at: TestSidecar) => Promise<void>,
  options: Partial<Parameters<typeof openSidecar>[0]> = {},
): Promise<void> {
  const at = await openSidecar({ upstream: upstream.url, ...options })
  try {
    await use(at)
  } finally {
    await at.close()
    await upstream.close()
  }
}

const post = (body: BodyInit, path = '/out/lab/Patient'): [string, RequestInit] => [
  path,
  { method: 'POST', body, duplex: 'half' } as RequestInit,
]

const inPieces = (pieces: readonly string[]) =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece))
      controller.close()
    },
  })

describe('a token that the upstream refuses', () => {
  test('is renewed once, and the request is sent once more', async () => {
    await using(await openGuarded((token) => token === 'token-2'), async (at) => {
      for (const [path, init] of [['/out/lab/Patient/1', {}] as const]) {
        const answer = await at.fetch(path, init)
        assert.equal(answer.status, 200)
        assert.equal(answer.headers.get('scopegate-diagnosis'), null)
        await answer.text()
      }
      assert.equal(at.tokens.fetched, 2)
      const trace = at.traces.at(-1)!
      assert.equal(trace.outcome, 'permitted')
      assert.equal(trace.upstream?.attempts, 2)
      assert.equal(trace.tokenFingerprint, 'print-of-token-2')
      assert.match(trace.plan ?? '', /new token after a 401/)
    })
  })

  for (const [name, body] of [
    ['of a known length', 'x'.repeat(100_000)],
    ['in pieces', inPieces(['a'.repeat(50_000), 'b'.repeat(50_000)])],
    ['that is empty', ''],
  ] as const) {
    test(`a body ${name} is sent again, whole`, async () => {
      const upstream = await openGuarded((token) => token === 'token-2')
      await using(upstream, async (at) => {
        const answer = await at.fetch(...post(body))
        assert.equal(answer.status, 200)
        await answer.text()
        assert.equal(upstream.got.length, 2)
        assert.equal(upstream.got[0]?.body, upstream.got[1]?.body)
        assert.ok(body === '' || upstream.got[1]?.body.length === 100_000)
      })
    })
  }

  test('an answer that comes before the body is at its end makes no difference', async () => {
    const upstream = await openGuarded((token) => token === 'token-2')
    await using(upstream, async (at) => {
      const socket = at.open().on('error', () => undefined)
      socket.write(
        `POST /out/lab/early HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n${'x'.repeat(500)}`,
      )
      await until(() => upstream.got.length !== 0, Boolean)
      socket.write('x'.repeat(500))
      const got = await text(socket)
      assert.match(got, /^HTTP\/1\.1 200 /)
      assert.deepEqual(
        upstream.got.map(({ token }) => token),
        ['token-1', 'token-2'],
      )
      assert.equal(upstream.got[1]?.body.length, 1000)
    })
  })

  test('a body that is too large to be kept: the 401 is passed on, the renewal is for the next', async () => {
    const upstream = await openGuarded((token) => token === 'token-2')
    await using(
      upstream,
      async (at) => {
        for (const body of ['x'.repeat(2 * MIB), inPieces(['x'.repeat(MIB), 'x'.repeat(MIB)])]) {
          at.tokens.current = 'token-1'
          at.tokens.make = () => 'token-2'
          const before = upstream.got.length
          const answer = await at.fetch(...post(body))
          assert.equal(answer.status, 401)
          assert.equal(await answer.text(), 'refused')
          assert.match(
            answer.headers.get('scopegate-diagnosis') ?? '',
            /^upstream_rejected_token; reason=[a-z_]+; renewal=background;/,
          )
          assert.equal(upstream.got.length, before + 1)
          await until(() => at.tokens.current === 'token-2', Boolean)
          const next = await at.fetch(...post('small'))
          assert.equal(next.status, 200)
          await next.text()
        }
      },
      { connection: { replayBytes: MIB } },
    )
  })

  test('a new token that is refused too: its 401 is passed on with a diagnosis, and that was all', async () => {
    const upstream = await openGuarded(
      () => false,
      (response) => {
        response.writeHead(401, {
          'www-authenticate': 'Bearer error="invalid_token", error_description="wrong audience"',
        })
        response.end('no')
      },
    )
    await using(upstream, async (at) => {
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 401)
      assert.equal(await answer.text(), 'no')
      assert.match(answer.headers.get('www-authenticate') ?? '', /wrong audience/)
      const diagnosis = answer.headers.get('scopegate-diagnosis') ?? ''
      assert.match(diagnosis, /^upstream_rejected_fresh_token; reason=resource_other_audience;/)
      assert.match(diagnosis, /renewal=done/)
      assert.match(diagnosis, /fix="[^"]*audience/)
      assert.equal(upstream.got.length, 2)
      assert.equal(at.tokens.fetched, 2)
      const trace = at.traces.at(-1)!
      assert.equal(trace.outcome, 'refused')
      assert.equal(trace.status, 401)
      assert.equal(trace.checks.at(-1)?.code, 'upstream_token_rejected')

      // Nor does the next request cost another token: that one is as new as a token can be.
      for (let i = 0; i < 5; i += 1) {
        const again = await at.fetch('/out/lab/Patient/1')
        assert.match(again.headers.get('scopegate-diagnosis') ?? '', /^upstream_rejected_fresh_/)
        await again.text()
      }
      assert.equal(upstream.got.length, 7)
      assert.equal(at.tokens.fetched, 2)
    })
  })

  test('20 requests that are refused at once cause one renewal, and all succeed', async () => {
    const upstream = await openGuarded((token) => token === 'token-2')
    await using(upstream, async (at) => {
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, index) => at.fetch(`/out/lab/Patient/${index}`)),
      )
      for (const answer of all) {
        assert.equal(answer.status, 200)
        await answer.text()
      }
      assert.equal(at.tokens.fetched, 2)
      assert.equal(upstream.got.filter(({ token }) => token === 'token-2').length, 20)
    })
  })

  test('a token that is revoked time after time is renewed each time', async () => {
    let good = 'token-1'
    await using(await openGuarded((token) => token === good), async (at) => {
      for (let i = 2; i < 6; i += 1) {
        good = `token-${i}`
        const answer = await at.fetch('/out/lab/Patient/1')
        assert.equal(answer.status, 200)
        await answer.text()
        assert.equal(at.tokens.fetched, i)
      }
    })
  })

  test('no other token to be had: refused for that, as without any; the upstream was asked once', async () => {
    const upstream = await openGuarded(() => false)
    await using(upstream, async (at) => {
      const { reject } = at.tokens
      at.tokens.reject = async (connection, token) => {
        at.tokens.failure = DOWN
        return reject(connection, token)
      }
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '7')
      assert.match(
        answer.headers.get('scopegate-diagnosis') ?? '',
        /^upstream_rejected_token; reason=provider_unavailable; renewal=failed;/,
      )
      assert.equal(((await answer.json()) as { code: string }).code, 'provider_unavailable')
      assert.equal(upstream.got.length, 1)
      const { outcome, upstream: told } = at.traces.at(-1)!
      assert.deepEqual([outcome, told?.attempts, told?.status], ['failed', 1, 401])
    })
  })

  test('a caller who hangs up while it is renewed leaves nothing behind', async () => {
    const upstream = await openGuarded(() => false)
    await using(upstream, async (at) => {
      let isAsked = false
      at.tokens.reject = () => {
        isAsked = true
        return new Promise(() => undefined)
      }
      const socket = at.open().on('error', () => undefined)
      socket.write('GET /out/lab/Patient/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      await until(() => isAsked, Boolean)
      socket.destroy()
      await until(() => at.traces.length !== 0, Boolean)
      assert.equal(at.traces[0]?.status, 499)
    })
  })

  for (const [name, body] of [
    ['a short', 'no'],
    ['a long', 'no'.repeat(500_000)],
  ] as const) {
    test(`an upstream that ends its connection with ${name} 401 is asked again all the same`, async () => {
      const upstream = await openGuarded(
        (token) => token === 'token-2',
        (response) => {
          response.writeHead(401, { connection: 'close' })
          response.end(body)
        },
      )
      await using(upstream, async (at) => {
        for (let i = 0; i < 5; i += 1) {
          at.tokens.current = 'token-1'
          at.tokens.make = () => 'token-2'
          const answer = await at.fetch(...post('x'.repeat(1000)))
          assert.equal(answer.status, 200)
          assert.equal(await answer.text(), '{"length":1000}')
        }
      })
    })
  }

  test('an answer that is passed on after all is passed on whole', async () => {
    const long = 'no'.repeat(500_000)
    const upstream = await openGuarded(
      () => false,
      (response) => {
        response.writeHead(401, { connection: 'close' })
        response.end(long)
      },
    )
    await using(upstream, async (at) => {
      at.tokens.make = () => at.tokens.current
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 401)
      assert.match(answer.headers.get('scopegate-diagnosis') ?? '', /renewal=same_token/)
      assert.equal(await answer.text(), long)
      assert.equal(upstream.got.length, 1)
    })
  })

  test('a reason phrase that cannot be written is left out: the answer comes, and the process stays', async () => {
    for (const status of [200, 401]) {
      const upstream = createServer((socket) => {
        socket.on('error', () => undefined)
        socket.on('data', () => {
          const answer = `HTTP/1.1 ${status} \xff\xfe\xc4\x8a\r\nContent-Length: 2\r\n\r\nhi`
          socket.write(answer, 'latin1')
        })
      })
      upstream.listen(0, '127.0.0.1')
      await once(upstream, 'listening')
      const { port } = upstream.address() as { port: number }
      const at = await openSidecar({ upstream: `http://127.0.0.1:${port}` })
      at.tokens.make = () => at.tokens.current
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, status)
      assert.equal(await answer.text(), 'hi')
      await at.close()
      upstream.close()
    }
  })

  test('that the upstream forbids something is told, and is no reason to renew', async () => {
    const upstream = await openGuarded(
      () => false,
      (response) => {
        response.writeHead(403, {
          'www-authenticate': 'Bearer error="insufficient_scope", scope="system/Patient.u"',
        })
        response.end()
      },
    )
    await using(upstream, async (at) => {
      const answer = await at.fetch('/out/lab/Patient/1')
      assert.equal(answer.status, 403)
      const diagnosis = answer.headers.get('scopegate-diagnosis') ?? ''
      assert.match(diagnosis, /^upstream_forbids; reason=resource_insufficient_scope;/)
      assert.match(diagnosis, /asked for: `system\/Patient\.u`/)
      assert.equal(at.tokens.fetched, 1)
    })
  })

  test('a token without openid at the userinfo of Keycloak is explained as that', async () => {
    const upstream = await openGuarded(() => false)
    await using(
      upstream,
      async (at) => {
        const answer = await at.fetch('/out/lab/realms/x/protocol/openid-connect/userinfo')
        assert.match(
          answer.headers.get('scopegate-diagnosis') ?? '',
          /reason=resource_openid_missing; .*openid/,
        )
      },
      { connection: { preset: 'keycloak' } },
    )
  })

  test('a proof of possession gets the nonce that the upstream wants, without a renewal', async () => {
    const upstream = await openUpstream((request, response) => {
      if (request.headers.dpop === 'proof with n-1') {
        response.end('in')
        return
      }
      response.writeHead(401, {
        'www-authenticate': 'DPoP error="use_dpop_nonce"',
        'dpop-nonce': 'n-1',
      })
      response.end()
    })
    const at = await openSidecar({ upstream: upstream.url })
    const asked: unknown[] = []
    at.tokens.headersOf = async ({ method, url, dpopNonce }) => {
      asked.push({ method, url })
      return { authorization: 'DPoP token-1', dpop: `proof with ${dpopNonce}` }
    }
    for (const expected of [2, 3]) {
      const answer = await at.fetch('/out/lab/Patient?name=x')
      assert.equal(await answer.text(), 'in')
      assert.equal(answer.headers.get('dpop-nonce'), null)
      assert.equal(asked.length, expected)
    }
    assert.deepEqual(asked[0], { method: 'GET', url: `${upstream.url}/Patient` })
    assert.equal(at.tokens.fetched, 1)
    await at.close()
    await upstream.close()
  })
})

const DOWN: TokenFailure = {
  kind: 'temporary',
  code: 'provider_unavailable',
  cause: 'the provider answered 503',
  fix: 'wait',
  retryAfterSeconds: 7,
  wasSent: true,
}
const WRONG_SECRET: TokenFailure = {
  kind: 'configuration',
  code: 'entra_secret_wrong',
  cause: 'the client secret is wrong',
  fix: 'copy the Value of the secret, not its ID',
  provider: { status: 401, error: 'invalid_client', codes: [7_000_215], traceId: 'trace-1' },
  wasSent: true,
}

describe('no token', async () => {
  /** Notices any connection at all. */
  let bytes = 0
  let connections = 0
  const listener = createServer((socket: Socket) => {
    connections += 1
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        bytes += chunk.length
      })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const at = await openSidecar({ upstream: `http://127.0.0.1:${port}` })
  after(async () => {
    await at.close()
    listener.close()
  })

  for (const [failure, status, retryAfter] of [
    [WRONG_SECRET, 502, null],
    [{ ...WRONG_SECRET, kind: 'sign-in', code: 'refresh_token_expired' } as const, 502, null],
    [DOWN, 503, '7'],
    [{ ...DOWN, kind: 'network', code: 'provider_unreachable' } as const, 503, '7'],
  ] as const) {
    test(`for ${failure.kind}: ${status} with cause and fix, and nothing is sent`, async () => {
      at.tokens.failure = failure
      for (const [path, init] of [
        ['/out/lab/Patient/1', {}],
        post('x'.repeat(100_000)),
        post(inPieces(['a', 'b'])),
      ] as const) {
        const answer = await at.fetch(path, init)
        assert.equal(answer.status, status)
        assert.equal(answer.headers.get('retry-after'), retryAfter)
        assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
        assert.match(
          answer.headers.get('scopegate-diagnosis') ?? '',
          new RegExp(`^no_token; reason=${failure.code};`),
        )
        const problem = (await answer.json()) as Record<string, unknown>
        assert.equal(problem.code, failure.code)
        assert.equal(problem.connection, 'lab')
        assert.equal(problem.fix, failure.fix)
        assert.deepEqual(problem.provider, failure.provider)
        assert.match(String(problem.detail), new RegExp(failure.cause))
        assert.equal(problem.correlationId, answer.headers.get('x-request-id'))
      }
      assert.equal(connections, 0)
      assert.equal(bytes, 0)
      const { outcome, checks } = at.traces.at(-1)!
      assert.equal(outcome, 'failed')
      assert.match(checks.at(-1)?.code ?? '', /^upstream_token_(?:missing|delayed)$/)
    })
  }

  test('for a WebSocket: the same, on the wire', async () => {
    at.tokens.failure = DOWN
    const got = await at.raw(
      'GET /out/lab/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    assert.match(got, /^HTTP\/1\.1 503 /)
    assert.match(got, /provider_unavailable/)
    assert.equal(connections, 0)
  })
})
