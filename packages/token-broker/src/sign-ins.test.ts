import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { createTokenRequester } from './create-token-requester.ts'
import { createSignIns, SignInRefused } from './interactive/sign-ins.ts'
import { connectionTo } from './test-support/ask.ts'
import {
  PLAIN_TOKEN,
  type ScriptedAnswer,
  startScriptedPeer,
} from './test-support/scripted-peer.ts'
import type { FetchedToken } from './token-request.ts'
import type { WrittenConnection } from './written/written-connection.ts'

const REDIRECT = 'http://127.0.0.1:49152/callback'
const CALLBACK = 'https://gate.example/admin/connections/callback'
const WITH_REFRESH = { ...PLAIN_TOKEN, refresh_token: 'a-refresh-token' }

/** Seals by writing the context in front: enough to see that it is used. */
const sealer = {
  seal: (plain: string, context: string) =>
    Buffer.from(JSON.stringify([context, plain])).toString('base64url'),
  unseal(sealed: string, context: string) {
    const [given, plain] = JSON.parse(Buffer.from(sealed, 'base64url').toString())
    if (given !== context) throw new Error('another place')
    return Buffer.from(plain)
  },
}

async function open(answer: ScriptedAnswer, written: Partial<WrittenConnection> = {}) {
  const peer = await startScriptedPeer(({ method, path }) => {
    if (path === '/device') {
      return {
        body: {
          device_code: 'a-device-code',
          user_code: 'WDJB-MJHT',
          verification_uri: 'https://idp.example/device',
          verification_uri_complete: 'javascript:alert(1)',
          expires_in: 600,
          interval: 3,
        },
      }
    }
    if (method === 'POST') return current
    return {
      body: {
        issuer: peer.origin,
        token_endpoint: peer.tokenEndpoint,
        authorization_endpoint: `${peer.origin}/authorize?fixed=1`,
        device_authorization_endpoint: `${peer.origin}/device`,
        authorization_response_iss_parameter_supported: true,
      },
    }
  })
  let current = answer
  let nowMs = Date.now()
  const stored: { name: string; token: FetchedToken; subject?: string }[] = []
  const used = new Set<string>()
  const connection = connectionTo('', {
    issuer: peer.origin,
    tokenEndpoint: undefined,
    grant: 'authorization_code',
    scopes: ['openid', 'offline_access'],
    authorizationParameters: { prompt: 'login' },
    ...written,
  })
  const signIns = createSignIns({
    connections: [connection],
    requester: createTokenRequester({ nowMs: () => nowMs }),
    storeGrant: async (name, grant) => {
      stored.push({ name, ...grant })
    },
    sealer,
    useOnce: async (id) => used.size !== used.add(id).size,
    callbackUri: CALLBACK,
    nowMs: () => nowMs,
  })
  return {
    ...{ peer, signIns, stored },
    answer: (next: ScriptedAnswer) => {
      current = next
    },
    advance: (ms: number) => {
      nowMs += ms
    },
  }
}

const refused = (code: string | RegExp) => (error: unknown) =>
  error instanceof SignInRefused &&
  (typeof code === 'string' ? error.code === code : code.test(error.code))

describe('Sign-ins for connections', () => {
  test('by browser: PKCE, state and issuer are checked, and the grant is kept', async () => {
    const claims = Buffer.from(JSON.stringify({ sub: '1', preferred_username: 'nora' }))
    const idToken = `e30.${claims.toString('base64url')}.c2ln`
    const { peer, signIns, stored } = await open({ body: { ...WITH_REFRESH, id_token: idToken } })
    const begun = await signIns.begin('lab', { kind: 'code', redirectUri: REDIRECT })
    assert.ok(begun.kind === 'code')
    const { searchParams } = new URL(begun.authorizationUrl)
    assert.equal(searchParams.get('fixed'), '1')
    assert.equal(searchParams.get('prompt'), 'login')
    assert.equal(searchParams.get('response_type'), 'code')
    assert.equal(searchParams.get('redirect_uri'), REDIRECT)
    assert.equal(searchParams.get('state'), begun.id)

    const came = { code: 'the-code', state: begun.id, iss: peer.origin }
    const done = await signIns.complete('lab', begun.id, came)
    assert.deepEqual(done, { outcome: 'done', scopes: ['system/Observation.rs'], subject: 'nora' })
    assert.equal(stored[0]?.token.refreshToken, 'a-refresh-token')
    assert.equal(stored[0]?.subject, 'nora')
    const form = peer.requests.at(-1)?.form
    assert.equal(form?.get('code'), 'the-code')
    assert.equal(form?.get('redirect_uri'), REDIRECT)
    assert.equal(
      createHash('sha256')
        .update(form?.get('code_verifier') ?? '')
        .digest('base64url'),
      searchParams.get('code_challenge'),
    )
  })

  test('what comes back for another sign-in, of another server, or late is refused, and no code is used', async () => {
    const { peer, signIns, stored, advance } = await open({ body: WITH_REFRESH })
    const { id } = await signIns.begin('lab', { kind: 'code', redirectUri: REDIRECT })
    const complete = (given: Record<string, string>, at = id) =>
      signIns.complete('lab', at, { code: 'c', state: id, iss: peer.origin, ...given })
    await assert.rejects(complete({ state: 'other' }), refused('sign_in_answer_invalid'))
    await assert.rejects(
      complete({ iss: 'https://evil.example' }),
      refused('sign_in_answer_invalid'),
    )
    const { iss: _, ...without } = { code: 'c', state: id, iss: '' }
    await assert.rejects(signIns.complete('lab', id, without), refused('sign_in_answer_invalid'))
    await assert.rejects(complete({}, 'made-up'), refused('sign_in_unknown'))
    const denied = { error: 'access_denied', error_description: 'the user said no' }
    await assert.rejects(complete(denied), refused(/access_denied/))
    advance(16 * 60_000)
    await assert.rejects(complete({}), refused('sign_in_unknown'))
    assert.deepEqual(stored, [])
    assert.equal(
      peer.requests.some(({ method }) => method === 'POST'),
      false,
    )
  })

  test('a user who comes back to this server ends the sign-in of the connection in the state', async () => {
    const { peer, signIns, stored } = await open({ body: WITH_REFRESH })
    const begun = await signIns.begin('lab', { kind: 'code', redirectUri: CALLBACK })
    const came = { code: 'the-code', state: begun.id, iss: peer.origin }
    const done = await signIns.completeCallback(came)
    assert.deepEqual([done.connection, done.outcome], ['lab', 'done'])
    assert.equal(peer.requests.at(-1)?.form.get('redirect_uri'), CALLBACK)
    for (const state of ['', 'lab', 'lab.x', 'other.x', `other${begun.id.slice(3)}`, '.']) {
      const forged = signIns.completeCallback({ ...came, state })
      await assert.rejects(forged, refused('sign_in_unknown'))
    }
    assert.equal(stored.length, 1)
  })

  test('a sign-in works once: who finds its address afterwards signs in over nobody', async () => {
    const { peer, signIns, stored } = await open({ body: WITH_REFRESH })
    const { id } = await signIns.begin('lab', { kind: 'code', redirectUri: CALLBACK })
    const come = (code: string, state = id) =>
      signIns.completeCallback({ code, state, iss: peer.origin })
    const answers = await Promise.allSettled(
      ['of-nora', 'of-eve', 'of-mallory'].map((c) => come(c)),
    )
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1)
    await assert.rejects(come('of-eve-again'), refused('sign_in_unknown'))
    // The same, written in another way.
    await assert.rejects(come('of-eve-again', `${id}=`), refused(/sign_in/))
    assert.equal(stored.length, 1)
  })

  test('users come back to loopback, or to the address of the connection', async () => {
    const written = { redirectUri: 'https://gate.example/done' }
    const { signIns } = await open({ body: WITH_REFRESH }, written)
    const begin = (redirectUri: string) => signIns.begin('lab', { kind: 'code', redirectUri })
    for (const uri of ['http://[::1]:80/x', 'http://localhost:1/', written.redirectUri]) {
      assert.equal((await begin(uri)).kind, 'code')
    }
    for (const uri of [
      'https://evil.example/',
      'http://127.0.0.1.evil.example/',
      'x',
      'https://gate.example/',
    ]) {
      await assert.rejects(begin(uri), refused('redirect_uri_refused'))
    }
  })

  test('without a refresh token nothing is kept, and what is missing is said', async () => {
    const { peer, signIns, stored } = await open({ body: PLAIN_TOKEN }, { scopes: ['openid'] })
    const { id } = await signIns.begin('lab', { kind: 'code', redirectUri: REDIRECT })
    await assert.rejects(
      signIns.complete('lab', id, { code: 'c', state: id, iss: peer.origin }),
      (error) => error instanceof SignInRefused && /offline_access/.test(error.fix),
    )
    assert.deepEqual(stored, [])
  })

  test('on another device: pending, slower, an outage in between, done', async () => {
    const { peer, signIns, stored, answer } = await open({}, { grant: 'device_code' })
    const begun = await signIns.begin('lab', { kind: 'device' })
    const { id, ...shown } = begun
    assert.deepEqual(shown, {
      kind: 'device',
      userCode: 'WDJB-MJHT',
      verificationUri: 'https://idp.example/device',
      intervalSeconds: 3,
      expiresInSeconds: 600,
    })
    const poll = () => signIns.complete('lab', id, {})
    answer({ status: 400, body: { error: 'authorization_pending' } })
    assert.deepEqual(await poll(), { outcome: 'pending', intervalSeconds: 3 })
    answer({ status: 400, body: { error: 'slow_down' } })
    assert.deepEqual(await poll(), { outcome: 'pending', intervalSeconds: 8 })
    assert.deepEqual(await poll(), { outcome: 'pending', intervalSeconds: 13 })
    answer({ status: 503 })
    assert.deepEqual(await poll(), { outcome: 'pending', intervalSeconds: 26 })
    answer({ body: WITH_REFRESH })
    assert.equal((await poll()).outcome, 'done')
    assert.equal(stored.length, 1)
    const { form } = peer.requests.at(-1)!
    assert.equal(form.get('device_code'), 'a-device-code')
    assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:device_code')
  })

  test('a code that nobody entered in time ends the sign-in', async () => {
    const { signIns } = await open(
      { status: 400, body: { error: 'expired_token' } },
      { grant: 'device_code' },
    )
    const { id } = await signIns.begin('lab', { kind: 'device' })
    await assert.rejects(signIns.complete('lab', id, {}), refused('oauth_device_expired'))
  })

  test('nobody signs in for client credentials', async () => {
    const { signIns } = await open({ body: PLAIN_TOKEN }, { grant: 'client_credentials' })
    const begin = signIns.begin('lab', { kind: 'code', redirectUri: REDIRECT })
    await assert.rejects(begin, refused('sign_in_not_offered'))
  })
})
