import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial } from '@scopegate/keys'
import {
  type ConnectionCredentials,
  compileConnection,
  createTokenRequester,
  type FetchedToken,
  type RequesterOptions,
  type TokenOutcome,
  type TokenTarget,
  type WrittenConnection,
} from '@scopegate/token-broker'
import Provider from 'oidc-provider'
import { Agent, fetch as fetchWith } from 'undici'
import { createBrowser, isAway } from './support/browser.ts'
import { startConnectProxy } from './support/connect-proxy.ts'
import { listenHttps } from './support/serve-https.ts'

// oidc-provider as it comes, not as the authorization server of this product: https://github.com/panva/node-oidc-provider
const SECRET = 'a+secret with/odd&signs:%25-._~!*'
const REDIRECT = 'http://127.0.0.1:49152/callback'

const pair = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const publicJwk = { ...createPublicKey(pair.publicKey).export({ format: 'jwk' }), kid: 'key-1' }
const material = readKeyMaterial({ text: pair.privateKey, name: 'key of a test' })

const machine = (name: string, method: string, more: object = {}) => ({
  client_id: name,
  client_secret: SECRET,
  token_endpoint_auth_method: method,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...more,
})

const server = await listenHttps((origin) => {
  const provider = new Provider(origin, {
    scopes: ['openid', 'offline_access', 'api:read'],
    clients: [
      machine('by-basic', 'client_secret_basic'),
      machine('by-post', 'client_secret_post'),
      machine('by-key', 'private_key_jwt', {
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [publicJwk] },
      }),
      machine('bound', 'client_secret_basic', { dpop_bound_access_tokens: true }),
      {
        client_id: 'with user',
        client_secret: SECRET,
        grant_types: [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
        redirect_uris: [REDIRECT],
      },
    ] as never,
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      resourceIndicators: { enabled: false },
    },
    cookies: { keys: ['a key of a test'] },
    rotateRefreshToken: true,
    pkce: { required: () => true },
  })
  return provider.callback()
})
const dispatcher = new Agent({ connect: { ca: server.ca } })
after(() => Promise.all([server.close(), dispatcher.close()]))

function targetOf(
  clientId: string,
  written: Partial<WrittenConnection> = {},
  credentials: ConnectionCredentials = { secrets: () => [SECRET] },
): TokenTarget {
  const connection = compileConnection(
    { name: 'real', clientId, issuer: server.origin, scopes: ['api:read'], ...written },
    { ca: server.ca, ...credentials },
  )
  const { scopes, audience, subject } = connection
  return { connection, scopes, audience, subject }
}

const requester = (options: Partial<RequesterOptions> = {}) =>
  createTokenRequester({ nowMs: Date.now, ...options })
const signal = () => AbortSignal.timeout(60_000)
const ask = (target: TokenTarget, options: Partial<RequesterOptions> = {}) =>
  requester(options).request(target, { signal: signal() })

function tokenOf(outcome: TokenOutcome | { readonly kind: 'pending' }): FetchedToken {
  assert.equal(outcome.kind, 'token', JSON.stringify(outcome))
  return (outcome as Extract<TokenOutcome, { kind: 'token' }>).token
}

/** A user with a browser, who agrees to everything. */
async function agree(
  start: string,
  fields: Readonly<Record<string, string>>,
): Promise<URL | undefined> {
  const browser = createBrowser(server.origin, ((url: string, init: object) =>
    fetchWith(url, { ...init, dispatcher })) as never)
  let page = await browser.open(start)
  for (let steps = 0; steps < 10; steps++) {
    if (isAway(page)) return page.away
    const [form] = page.forms
    if (form === undefined) return undefined
    const names = form.fields.map(({ name }) => name)
    const known = Object.entries(fields).filter(([name]) => names.includes(name))
    page = await browser.submit(form, Object.fromEntries(known))
  }
  throw new Error('the pages do not end')
}

describe('oidc-provider', () => {
  test('client credentials by Basic, by form and by a key', async () => {
    for (const [clientId, written, credentials] of [
      ['by-basic', {}, undefined],
      ['by-post', { authentication: { method: 'client_secret_post' } }, undefined],
      [
        'by-key',
        { authentication: { audience: 'issuer' } },
        { signer: async () => createKeySigner(material, { kid: 'key-1' }) },
      ],
    ] as const) {
      const token = tokenOf(await ask(targetOf(clientId, written, credentials)))
      assert.equal(token.type, 'Bearer')
      assert.deepEqual(token.scopes, ['api:read'])
      assert.deepEqual(token.warnings, [])
      assert.ok((token.expiresInSeconds ?? 0) > 0)
    }
  })

  test('a wrong secret keeps the words of the provider, although the answer is a challenge', async () => {
    const outcome = await ask(targetOf('by-basic', {}, { secrets: () => ['wrong'] }))
    assert.ok(outcome.kind === 'failed')
    const { status, error, description } = outcome.failure.provider ?? {}
    assert.deepEqual([status, error], [401, 'invalid_client'])
    assert.equal(description, 'client authentication failed')
    assert.equal(outcome.failure.wasSent, true)
  })

  test('a second secret is taken when the first is refused', async () => {
    const target = targetOf('by-basic', {}, { secrets: () => ['new, not there yet', SECRET] })
    assert.deepEqual(tokenOf(await ask(target)).warnings, ['credential_fallback'])
  })

  test('a proof of possession is repeated with the nonce, and the next one has it', async () => {
    const target = targetOf('bound', { dpop: true })
    const asking = requester()
    for (let round = 0; round < 2; round++) {
      const token = tokenOf(await asking.request(target, { signal: signal() }))
      assert.equal(token.type, 'DPoP')
      assert.ok(token.dpopKey)
    }
  })

  test('through a proxy, and to a server of a private authority', async () => {
    const proxy = await startConnectProxy()
    try {
      tokenOf(await ask(targetOf('by-basic', { proxy: proxy.url })))
      tokenOf(await ask(targetOf('by-basic'), { environment: { HTTPS_PROXY: proxy.url } }))
      // Once for the metadata and once for the token.
      assert.deepEqual(proxy.tunnels, Array(4).fill(server.host))
    } finally {
      await proxy.close()
    }
  })

  test('a user signs in by browser with PKCE; the refresh token is replaced at each use', async () => {
    const target = targetOf('with user', {
      grant: 'authorization_code',
      scopes: ['openid', 'offline_access', 'api:read'],
      authorizationParameters: { prompt: 'consent' },
    })
    const asking = requester()
    const begun = await asking.beginCode(target, {
      ...{ redirectUri: REDIRECT, state: 'a-state', signal: signal() },
    })
    assert.ok(begun.kind === 'begun', JSON.stringify(begun))
    const back = await agree(begun.authorizationUrl, { login: 'nora', password: 'x' })
    assert.equal(back?.origin, new URL(REDIRECT).origin)
    // Names itself: RFC 9207.
    assert.equal(back.searchParams.get('iss'), server.origin)
    const first = tokenOf(
      await asking.completeCode(target, begun.pending, back.searchParams, signal()),
    )
    assert.equal(first.signedInAs, 'nora')
    assert.deepEqual(first.warnings, [])
    const refreshToken = first.refreshToken ?? ''
    const second = tokenOf(await asking.request(target, { refreshToken, signal: signal() }))
    assert.notEqual(second.refreshToken, undefined)
    assert.notEqual(second.refreshToken, refreshToken)

    const again = await asking.completeCode(target, begun.pending, back.searchParams, signal())
    assert.ok(again.kind === 'failed')
    assert.equal(again.failure.provider?.error, 'invalid_grant')
    assert.equal(again.failure.kind, 'sign-in')
  })

  test('a user signs in on another device; until then it is pending', async () => {
    const target = targetOf('with user', {
      grant: 'device_code',
      scopes: ['openid', 'offline_access'],
    })
    const asking = requester()
    const begun = await asking.beginDevice(target, signal())
    assert.ok(begun.kind === 'begun', JSON.stringify(begun))
    assert.match(begun.userCode, /^[A-Z-]+$/)
    const { pending } = begun
    assert.deepEqual(await asking.pollDevice(target, pending, signal()), {
      kind: 'pending',
      intervalSeconds: pending.intervalSeconds,
    })
    await agree(begun.verificationUri, {
      ...{ user_code: begun.userCode, login: 'nora', password: 'x' },
    })
    const token = tokenOf(await asking.pollDevice(target, pending, signal()))
    assert.equal(token.signedInAs, 'nora')
    const used = await asking.pollDevice(target, pending, signal())
    assert.ok(used.kind === 'failed')
    assert.equal(used.failure.provider?.error, 'invalid_grant')
  })
})
