import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial } from '@scopegate/keys'
import { createTokenRequester } from './create-token-requester.ts'
import { ask, connectionTo, failureOf, targetOf } from './test-support/ask.ts'
import {
  type ScriptedAnswer,
  type SeenRequest,
  startScriptedPeer,
} from './test-support/scripted-peer.ts'
import type { ConnectionCredentials } from './written/compile-connection.ts'
import type { WrittenConnection } from './written/written-connection.ts'

const SECRET = 'c1ient secret?of+this=<test>&more'
const REFRESH = 'refresh.token-of~this/test+0123456789'
const SUBJECT = 'subject:token of {this} test 0123456789'
const key = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey
const made = createKeySigner(readKeyMaterial({ text: key, name: 'key' }))
const signer = async () => made

const CONNECTIONS: readonly [string, Partial<WrittenConnection>, ConnectionCredentials][] = [
  ['Basic', {}, { secrets: () => [SECRET] }],
  [
    'raw Basic',
    { authentication: { method: 'client_secret_basic_raw' } },
    { secrets: () => [SECRET] },
  ],
  ['form', { authentication: { method: 'client_secret_post' } }, { secrets: () => [SECRET] }],
  ['key', {}, { signer }],
  ['proof', { dpop: true }, { secrets: () => [SECRET] }],
  ['refresh', { grant: 'refresh_token' }, { secrets: () => [SECRET], refreshToken: () => REFRESH }],
  ['bearer assertion', { grant: 'jwt_bearer', subject: 'someone' }, { signer }],
  [
    'exchange',
    { grant: 'token_exchange' },
    { secrets: () => [SECRET], subjectToken: () => SUBJECT },
  ],
]

/** Everything that came, in every place where an answer has words. */
function echoes(seen: SeenRequest): readonly ScriptedAnswer[] {
  const raw = seen.form.toString()
  const values = [...seen.form.values()].join(' ')
  const headers = [seen.headers.authorization, seen.headers.dpop].join(' ')
  const all = `${raw} | ${values} | ${headers}`
  return [
    { status: 400, body: { error: 'invalid_request', error_description: all, error_uri: all } },
    { status: 401, body: { error: all, error_description: values } },
    { status: 400, body: { error: { status: 'BAD', message: all } } },
    { status: 403, headers: { 'content-type': 'text/html' }, body: `<p>blocked: ${all}</p>` },
    { status: 200, headers: { 'content-type': 'text/plain' }, body: all },
    { status: 200, body: { token: values, received: all } },
    { status: 200, body: { access_token: 'x', token_type: all } },
    { status: 200, body: { access_token: 'x', scope: all } },
    {
      status: 401,
      headers: {
        'www-authenticate': `Bearer error="x", error_description="${values.replace(/["\\]/g, '')}"`,
      },
    },
    { status: 500, headers: { 'x-request-id': values }, body: '' },
  ]
}

/** What of a request nobody may learn, as it was sent and as it is read. */
function secretsOf({ form, headers }: SeenRequest): readonly string[] {
  const names = ['client_secret', 'client_assertion', 'assertion', 'refresh_token', 'subject_token']
  const values = names.flatMap((name) => form.get(name) ?? [])
  const basic = String(headers.authorization ?? '').replace(/^Basic /, '')
  const forms = [SECRET, REFRESH, SUBJECT, ...values].flatMap((value) => [
    value,
    encodeURIComponent(value),
    new URLSearchParams({ _: value }).toString().slice(2),
  ])
  return [...forms, basic, String(headers.dpop ?? '')].filter((value) => value.length > 12)
}

describe('A provider that repeats what it was sent', () => {
  for (const [name, written, credentials] of CONNECTIONS) {
    test(`${name}: no answer puts a secret into what is told`, async () => {
      const peer = await startScriptedPeer()
      const connection = connectionTo(
        peer.tokenEndpoint,
        { scopePolicy: 'exact', ...written },
        credentials,
      )
      for (let index = 0; index < 10; index++) {
        const seen: SeenRequest[] = []
        peer.answer((request) => {
          seen.push(request)
          return echoes(request)[index] ?? {}
        })
        const text = JSON.stringify(await ask(connection))
        const decoded = JSON.stringify(JSON.parse(text)).replaceAll('\\"', '"')
        for (const secret of seen.flatMap(secretsOf)) {
          assert.ok(!decoded.includes(secret), `answer ${index}: ${secret} in ${decoded}`)
        }
      }
    })
  }

  test('the code and the verifier of a sign-in, and a device code', async () => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(peer.tokenEndpoint, {
      grant: 'authorization_code',
      authorizationEndpoint: `${peer.origin}/authorize`,
    })
    const requester = createTokenRequester({ nowMs: Date.now })
    const pending = {
      redirectUri: 'http://127.0.0.1/cb',
      state: 'a-state',
      codeVerifier: 'the-verifier-of-this-test-0123456789-0123456789',
    }
    const code = 'the/code+of this test'
    const deviceCode = 'the device code/of this test'
    for (let index = 0; index < 10; index++) {
      peer.answer((request) => echoes(request)[index] ?? {})
      const signal = AbortSignal.timeout(30_000)
      const parameters = new URLSearchParams({ code, state: 'a-state' })
      const told = [
        await requester.completeCode(targetOf(connection), pending, parameters, signal),
        await requester.pollDevice(
          targetOf(connection),
          { deviceCode, intervalSeconds: 5 },
          signal,
        ),
      ]
      const text = JSON.stringify(told.map((each) => ('token' in each ? 'token' : each)))
      for (const secret of [code, encodeURIComponent(code), pending.codeVerifier, deviceCode]) {
        assert.ok(!text.includes(secret), `answer ${index}: ${secret} in ${text}`)
      }
    }
  })
})

test('lists within lists without end are no defect of ours', async () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const peer = await startScriptedPeer((_, count) => ({
    status: 400,
    body:
      count === 1
        ? `{"error":"invalid_client","error_codes":${deep}}`
        : '{"error":"invalid_client","error_codes":[{"toString":1},"7000215"]}',
  }))
  for (let attempt = 0; attempt < 2; attempt++) {
    const { provider } = failureOf(await ask(connectionTo(peer.tokenEndpoint)))
    assert.equal(provider?.error, 'invalid_client')
  }
})
