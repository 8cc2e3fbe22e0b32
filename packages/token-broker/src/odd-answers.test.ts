import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parseBody } from './request/parse-body.ts'
import { readToken } from './request/read-token.ts'
import { ask, connectionTo, failureOf, tokenOf } from './test-support/ask.ts'
import {
  PLAIN_TOKEN,
  type ScriptedAnswer,
  startScriptedPeer,
} from './test-support/scripted-peer.ts'
import type { FetchedToken } from './token-request.ts'

const NOW_SECONDS = Math.floor(Date.now() / 1000)
const jwt = (claims: object) =>
  `${encode({ alg: 'RS256' })}.${encode(claims)}.${Buffer.from('signature').toString('base64url')}`
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

interface AcceptedCase {
  readonly name: string
  readonly answer: ScriptedAnswer
  /** Members of a `FetchedToken`; `undefined`: not there. */
  readonly token: { readonly [member in keyof FetchedToken]?: unknown }
}

const KEYCLOAK = {
  access_token: 'an-access-token',
  token_type: 'Bearer',
  expires_in: 300,
  refresh_expires_in: 0,
  'not-before-policy': 0,
  scope: 'system/Observation.rs openid profile email',
  id_token: jwt({ iss: 'https://public.example', aud: 'somebody else' }),
}

const ACCEPTED: readonly AcceptedCase[] = [
  {
    name: 'a plain answer, without a warning',
    answer: { body: PLAIN_TOKEN },
    token: { type: 'Bearer', expiresInSeconds: 300, warnings: [] },
  },
  {
    name: "an ID token of another issuer beside client credentials (Keycloak's `openid`)",
    answer: { body: KEYCLOAK },
    token: {
      accessToken: 'an-access-token',
      scopes: ['system/Observation.rs', 'openid', 'profile', 'email'],
      warnings: ['unexpected_id_token_ignored'],
    },
  },
  {
    name: 'an ID token that is no token at all',
    answer: { body: { ...PLAIN_TOKEN, id_token: { sub: 1 } } },
    token: { warnings: ['unexpected_id_token_ignored'] },
  },
  {
    name: 'no `token_type`',
    answer: { body: { ...PLAIN_TOKEN, token_type: undefined } },
    token: { type: 'Bearer', warnings: ['token_type_missing'] },
  },
  {
    name: '`token_type` in capitals',
    answer: { body: { ...PLAIN_TOKEN, token_type: 'BEARER' } },
    token: { type: 'Bearer', warnings: [] },
  },
  {
    name: '`token_type: BearerToken`',
    answer: { body: { ...PLAIN_TOKEN, token_type: 'BearerToken' } },
    token: { type: 'Bearer', warnings: ['token_type_unusual'] },
  },
  {
    name: '`token_type` that cannot be made text',
    answer: { body: { ...PLAIN_TOKEN, token_type: { toString: 1 } } },
    token: { type: 'Bearer', warnings: ['token_type_unusual'] },
  },
  {
    name: '`expires_in` as text',
    answer: { body: { ...PLAIN_TOKEN, expires_in: '3599' } },
    token: { expiresInSeconds: 3599, warnings: ['expires_in_text'] },
  },
  {
    name: '`expires_in` with a fraction',
    answer: { body: { ...PLAIN_TOKEN, expires_in: 299.7 } },
    token: { expiresInSeconds: 299, warnings: [] },
  },
  ...[undefined, null, ''].map((expires) => ({
    name: `\`expires_in\`: ${JSON.stringify(expires) ?? 'absent'}`,
    answer: { body: { ...PLAIN_TOKEN, expires_in: expires } },
    token: { expiresInSeconds: undefined, warnings: ['expires_in_missing'] },
  })),
  ...[0, -5, 'soon', true, {}].map((expires) => ({
    name: `\`expires_in\`: ${JSON.stringify(expires)}`,
    answer: { body: { ...PLAIN_TOKEN, expires_in: expires } },
    token: {
      expiresInSeconds: undefined,
      warnings: [
        ...(typeof expires === 'string' ? ['expires_in_text'] : []),
        'expires_in_unusable',
      ],
    },
  })),
  {
    name: '`expires_in` of ten years',
    answer: { body: { ...PLAIN_TOKEN, expires_in: 315_360_000 } },
    token: { expiresInSeconds: 315_360_000, warnings: ['expires_in_very_long'] },
  },
  {
    name: 'a JWT whose `exp` is told',
    answer: { body: { ...PLAIN_TOKEN, access_token: jwt({ exp: NOW_SECONDS + 120 }) } },
    token: { jwtExpiresAt: NOW_SECONDS + 120, expiresInSeconds: 300, warnings: [] },
  },
  {
    name: '`refresh_in` and the end of the refresh token',
    answer: {
      body: { ...PLAIN_TOKEN, refresh_in: '43200', refresh_token: 'r', refresh_expires_in: 1800 },
    },
    token: {
      refreshInSeconds: 43_200,
      refreshToken: 'r',
      refreshExpiresInSeconds: 1800,
      warnings: [],
    },
  },
  {
    name: '`refresh_token: null`',
    answer: { body: { ...PLAIN_TOKEN, refresh_token: null } },
    token: { refreshToken: undefined, warnings: ['refresh_token_unusable'] },
  },
  {
    name: '`scope` as a list',
    answer: { body: { ...PLAIN_TOKEN, scope: ['system/Observation.rs', 'extra'] } },
    token: { scopes: ['system/Observation.rs', 'extra'], warnings: ['scope_as_list'] },
  },
  ...[undefined, null].map((scope) => ({
    name: `\`scope\`: ${scope}: as asked`,
    answer: { body: { ...PLAIN_TOKEN, scope } },
    token: { scopes: ['system/Observation.rs'], warnings: [] },
  })),
  {
    name: 'fewer scopes than were asked for',
    answer: { body: { ...PLAIN_TOKEN, scope: 'other' } },
    token: { scopes: ['other'], warnings: ['scope_missing'] },
  },
  {
    name: '`scope` as a number',
    answer: { body: { ...PLAIN_TOKEN, scope: 7 } },
    token: { scopes: ['system/Observation.rs'], warnings: ['scope_unusable'] },
  },
  {
    name: 'JSON that calls itself text',
    answer: { headers: { 'content-type': 'text/plain' }, body: PLAIN_TOKEN },
    token: { accessToken: 'an-access-token', warnings: ['content_type_unusual'] },
  },
  {
    name: 'JSON with a byte order mark',
    answer: { body: `\uFEFF${JSON.stringify(PLAIN_TOKEN)}` },
    token: { warnings: [] },
  },
  {
    name: 'a form',
    answer: {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'access_token=an-access-token&token_type=bearer&expires_in=60',
    },
    token: { expiresInSeconds: 60, warnings: ['expires_in_text', 'form_encoded_answer'] },
  },
  {
    name: '201 in place of 200',
    answer: { status: 201, body: PLAIN_TOKEN },
    token: { warnings: [] },
  },
]

interface RefusedCase {
  readonly name: string
  readonly answer: ScriptedAnswer
  readonly code: string
  readonly provider?: object
}

const REFUSED: readonly RefusedCase[] = [
  {
    name: '401 with a challenge keeps error and description',
    answer: {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="x"' },
      body: { error: 'invalid_client', error_description: 'no such client' },
    },
    code: 'oauth_invalid_client',
    provider: { status: 401, error: 'invalid_client', description: 'no such client' },
  },
  {
    name: '401 whose reason stands in the challenge only',
    answer: {
      status: 401,
      headers: {
        'www-authenticate': 'Bearer error="invalid_client", error_description="bad, very"',
      },
    },
    code: 'oauth_invalid_client',
    provider: { error: 'invalid_client', description: 'bad, very' },
  },
  {
    name: '200 with an error',
    answer: { body: { error: 'invalid_scope', error_description: 'unknown' } },
    code: 'oauth_invalid_scope',
    provider: { status: 200, error: 'invalid_scope' },
  },
  {
    name: 'HTML with 502',
    answer: {
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<html><head><title>Bad gateway</title></head><body>try later</body></html>',
    },
    code: 'oauth_server_error',
    provider: { status: 502, excerpt: 'Bad gateway try later', contentType: 'text/html' },
  },
  {
    name: 'a login page with 200',
    answer: { headers: { 'content-type': 'text/html' }, body: '<h1>Guest WLAN</h1>' },
    code: 'malformed_token_response',
    provider: { excerpt: 'Guest WLAN' },
  },
  {
    name: 'a redirect',
    answer: { status: 302, headers: { location: 'https://login.example/?state=secret' } },
    code: 'redirected',
    provider: { status: 302 },
  },
  {
    name: 'an empty 200',
    answer: {},
    code: 'malformed_token_response',
  },
  {
    name: 'JSON without a token shows the names of its members only',
    answer: { body: { accessToken: 'hush', expires: 5 } },
    code: 'access_token_missing',
    provider: { excerpt: '{ "accessToken": text, "expires": number }' },
  },
  {
    name: 'an access token that would break out of its header',
    answer: { body: { ...PLAIN_TOKEN, access_token: 'a\r\nX-Evil: 1' } },
    code: 'malformed_token_response',
  },
  {
    name: 'a token type that needs a key of its own',
    answer: { body: { ...PLAIN_TOKEN, token_type: 'mac' } },
    code: 'token_type_unsupported',
  },
  {
    name: 'a DPoP token where no proof was sent',
    answer: { body: { ...PLAIN_TOKEN, token_type: 'DPoP' } },
    code: 'token_type_unsupported',
  },
  {
    name: 'a token that has expired',
    answer: { body: { ...PLAIN_TOKEN, access_token: jwt({ exp: NOW_SECONDS - 7200 }) } },
    code: 'token_already_expired',
  },
  {
    name: 'an answer without end',
    answer: { body: 'x'.repeat(300_000) },
    code: 'malformed_token_response',
  },
]

describe('Answers of token endpoints', () => {
  test('what is odd and harmless is taken, with a warning', async (t) => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(peer.tokenEndpoint)
    for (const { name, answer, token } of ACCEPTED) {
      await t.test(name, async () => {
        peer.answer(answer)
        const got = tokenOf(await ask(connection))
        for (const [member, value] of Object.entries(token)) {
          assert.deepEqual(got[member as keyof FetchedToken], value, member)
        }
      })
    }
  })

  test('what is no token is a failure with a row of the catalogue, and the words of the provider', async (t) => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(peer.tokenEndpoint)
    for (const { name, answer, code, provider = {} } of REFUSED) {
      await t.test(name, async () => {
        peer.answer(answer)
        const failure = failureOf(await ask(connection))
        assert.equal(failure.code, code, JSON.stringify(failure))
        for (const [member, value] of Object.entries(provider)) {
          assert.deepEqual(Reflect.get(failure.provider ?? {}, member), value, member)
        }
        assert.equal(failure.wasSent, true)
      })
    }
  })

  test('answers that are packed although nobody asked are unpacked', async () => {
    const peer = await startScriptedPeer()
    const { createServer } = await import('node:http')
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      response.end(gzipSync(JSON.stringify(PLAIN_TOKEN)))
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as { port: number }
    try {
      const token = tokenOf(await ask(connectionTo(`http://127.0.0.1:${port}/token`)))
      assert.equal(token.accessToken, 'an-access-token')
    } finally {
      server.close()
    }
    assert.equal(peer.requests.length, 0)
  })

  test('a scope policy decides about other scopes, and tells both lists', async (t) => {
    const peer = await startScriptedPeer()
    const asked = { scopes: ['a', 'b'] }
    const cases = [
      ['accept', 'a', true],
      ['warn', 'a', true],
      ['warn', 'a b c', true],
      ['require-subset', 'a', false],
      ['require-subset', 'a b c', true],
      ['exact', 'b a', true],
      ['exact', 'a b c', false],
      ['exact', 'a', false],
    ] as const
    for (const [scopePolicy, scope, isTaken] of cases) {
      await t.test(`${scopePolicy}: asked a b, got ${scope}`, async () => {
        peer.answer({ body: { ...PLAIN_TOKEN, scope } })
        const outcome = await ask(connectionTo(peer.tokenEndpoint, { ...asked, scopePolicy }))
        if (isTaken) {
          const warned = tokenOf(outcome).warnings.includes('scope_missing')
          assert.equal(warned, scopePolicy === 'warn' && scope === 'a')
          return
        }
        const { code, cause } = failureOf(outcome)
        assert.equal(code, 'scope_policy')
        assert.match(cause, /a b/)
        assert.ok(cause.includes(scope), cause)
      })
    }
  })

  test('the words of Entra, Epic, Oracle Health, Okta, Google and Spring are all found', async (t) => {
    const peer = await startScriptedPeer()
    const urn = 'urn:cerner:error:authorization-server:oauth2:token:invalid-client-credentials'
    const cases: readonly {
      readonly preset: 'entra' | 'epic' | 'oracle-health' | 'okta' | 'google' | 'generic'
      readonly answer: ScriptedAnswer
      readonly code: RegExp
      readonly provider: object
    }[] = [
      {
        preset: 'entra',
        answer: {
          status: 401,
          body: {
            error: 'invalid_client',
            error_description: 'AADSTS7000222: The provided client secret keys are expired.',
            error_codes: [7000222],
            timestamp: '2031-05-05 10:00:00Z',
            trace_id: 'b4c1f7f0-0000-4000-8000-000000000001',
            correlation_id: 'c4c1f7f0-0000-4000-8000-000000000002',
            error_uri: 'https://login.microsoftonline.com/error?code=7000222',
          },
        },
        code: /^entra_/,
        provider: {
          codes: [7000222],
          timestamp: '2031-05-05 10:00:00Z',
          traceId: 'b4c1f7f0-0000-4000-8000-000000000001',
          correlationId: 'c4c1f7f0-0000-4000-8000-000000000002',
          errorUri: 'https://login.microsoftonline.com/error?code=7000222',
        },
      },
      {
        preset: 'entra',
        answer: {
          status: 400,
          body: { error: 'invalid_scope', error_description: 'AADSTS1002012: The value is wrong' },
        },
        code: /^entra_/,
        provider: { codes: [1002012] },
      },
      {
        preset: 'epic',
        answer: { status: 400, body: { error: 'invalid_client', error_description: null } },
        code: /^epic_/,
        provider: { error: 'invalid_client', description: undefined },
      },
      {
        preset: 'oracle-health',
        answer: {
          status: 401,
          headers: { 'cerner-correlation-id': 'f00d-1', 'x-request-id': 'other' },
          body: { error: 'invalid_client', error_uri: urn },
        },
        code: /^(oracle|cerner)_/,
        provider: { errorUri: urn, correlationId: 'f00d-1' },
      },
      {
        preset: 'okta',
        answer: {
          status: 401,
          body: { errorCode: 'invalid_client', errorSummary: 'No client.', errorId: 'oae1' },
        },
        code: /./,
        provider: { error: 'invalid_client', description: 'No client.', traceId: 'oae1' },
      },
      {
        preset: 'google',
        answer: {
          status: 403,
          body: { error: { code: 403, message: 'API is off.', status: 'PERMISSION_DENIED' } },
        },
        code: /./,
        provider: { error: 'PERMISSION_DENIED', description: 'API is off.' },
      },
      {
        preset: 'generic',
        answer: { status: 401, body: { status: 401, error: 'Unauthorized', message: 'bad' } },
        code: /./,
        provider: { error: 'Unauthorized', description: 'bad' },
      },
    ]
    for (const { preset, answer, code, provider } of cases) {
      await t.test(`${preset}: ${JSON.stringify(provider)}`, async () => {
        peer.answer(answer)
        // Nothing of the presets but the words of their explanations.
        const connection = { ...connectionTo(peer.tokenEndpoint), preset }
        const failure = failureOf(await ask(connection))
        assert.match(failure.code, code)
        for (const [member, value] of Object.entries(provider)) {
          assert.deepEqual(Reflect.get(failure.provider ?? {}, member), value, member)
        }
      })
    }
  })

  test('Retry-After is read as seconds and as a date by the clock that wrote it', async () => {
    const peer = await startScriptedPeer({ status: 503, headers: { 'retry-after': '7' } })
    const connection = connectionTo(peer.tokenEndpoint)
    assert.equal(failureOf(await ask(connection)).retryAfterSeconds, 7)
    const theirs = Date.parse('2031-05-05T10:00:00Z')
    peer.answer({
      status: 429,
      headers: {
        date: new Date(theirs).toUTCString(),
        'retry-after': new Date(theirs + 90_000).toUTCString(),
      },
    })
    const late = failureOf(await ask(connection))
    assert.equal(late.kind, 'rate')
    assert.ok(Math.abs((late.retryAfterSeconds ?? 0) - 90) <= 2, String(late.retryAfterSeconds))
  })

  test('the clock of the provider is compared with ours', async () => {
    const peer = await startScriptedPeer({
      headers: { date: 'Mon, 05 May 2031 10:00:00 GMT' },
      body: PLAIN_TOKEN,
    })
    const nowMs = () => Date.parse('2031-05-05T09:50:00Z')
    const token = tokenOf(await ask(connectionTo(peer.tokenEndpoint), { nowMs }))
    assert.equal(token.clockSkewSeconds, 600)
    assert.deepEqual(token.warnings, ['clock_skew'])
  })

  test('secrets that a provider echoes are taken out of its words', async () => {
    const secret = 'p@ss word/with+signs&more'
    const basic = Buffer.from(
      `lab-reader:${new URLSearchParams({ _: secret }).toString().slice(2)}`,
    ).toString('base64')
    const peer = await startScriptedPeer({
      status: 400,
      body: {
        error: 'invalid_request',
        error_description: `got ${secret} and ${encodeURIComponent(secret)} in Basic ${basic}`,
        error_uri: `https://idp.example/?client_secret=${encodeURIComponent(secret)}`,
      },
    })
    for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
      const connection = connectionTo(
        peer.tokenEndpoint,
        { authentication: { method } },
        { secrets: () => [secret] },
      )
      const text = JSON.stringify(await ask(connection))
      for (const form of [secret, encodeURIComponent(secret), 'p%40ss', 'signs%26more']) {
        assert.ok(!text.includes(form), `${form} in ${text}`)
      }
      if (method === 'client_secret_basic') assert.ok(!text.includes(basic), text)
    }
  })

  test('what looks like a token in an answer that is none is taken out', async () => {
    const opaque = 'Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3A'
    const peer = await startScriptedPeer({
      headers: { 'content-type': 'text/html' },
      body: `<p>session ${opaque} of ${jwt({ exp: 1 })} <a href="/x?token=${opaque}">go</a></p>`,
    })
    const { provider } = failureOf(await ask(connectionTo(peer.tokenEndpoint)))
    assert.ok(!JSON.stringify(provider).includes(opaque), provider?.excerpt)
    assert.match(provider?.excerpt ?? '', /session \[redacted\] of \[redacted\]/)
  })

  test('no JSON makes the reader throw, and no token is made up', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (text, dpop) => {
        const body = parseBody(text, 'application/json')
        if (body.kind !== 'object') return
        const read = readToken(body.value, { asked: ['a'], grant: 'client_credentials', dpop })
        if (read.kind === 'token') assert.equal(read.token.accessToken, body.value.access_token)
      }),
    )
  })

  test('whatever the members hold, a token that is taken fits into a header', () => {
    const member = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null))
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), member, member, (accessToken, scope, expires) => {
        const read = readToken(
          { access_token: accessToken, token_type: 'Bearer', scope, expires_in: expires },
          { asked: [], grant: 'client_credentials', dpop: false },
        )
        if (read.kind !== 'token') return
        new Headers({ authorization: `Bearer ${read.token.accessToken}` })
        const { expiresInSeconds: seconds } = read.token
        assert.ok(seconds === undefined || (Number.isSafeInteger(seconds) && seconds > 0))
      }),
    )
  })
})
