import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { createKeySigner, readKeyMaterial, SignKeyUnavailable } from '@scopegate/keys'
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  EmbeddedJWK,
  importSPKI,
  jwtVerify,
} from 'jose'
import { tokenHeaders } from './authentication/token-headers.ts'
import { createTokenRequester } from './create-token-requester.ts'
import type { RequesterEvent } from './request/requester-runtime.ts'
import { ask, connectionTo, failureOf, targetOf, tokenOf } from './test-support/ask.ts'
import { PLAIN_TOKEN, type SeenRequest, startScriptedPeer } from './test-support/scripted-peer.ts'
import { makeTestCertificates } from './test-support/test-certificates.ts'

const RSA = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const material = readKeyMaterial({ text: RSA.privateKey, name: 'test key' })
const signer = (alg: 'RS256' | 'RS384' | 'PS256', kid = 'key-1') => {
  const made = createKeySigner(material, { alg, kid })
  return async () => made
}
const only = (requests: readonly SeenRequest[]): SeenRequest => {
  assert.equal(requests.length, 1)
  return requests[0]!
}
const basicOf = ({ headers }: SeenRequest) =>
  Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()

describe('Authentication of token requests', () => {
  const clientId = 'lab reader:1'
  const secret = 'a+b c%d:é-._~*'

  test('Basic is encoded as a form, and what is safe stays readable', async () => {
    const peer = await startScriptedPeer()
    await ask(connectionTo(peer.tokenEndpoint, { clientId }, { secrets: () => [secret] }))
    const request = only(peer.requests)
    assert.equal(basicOf(request), 'lab+reader%3A1:a%2Bb+c%25d%3A%C3%A9-._%7E*')
    assert.equal(request.form.get('client_secret'), null)
    assert.equal(request.form.get('grant_type'), 'client_credentials')
    assert.equal(request.form.get('scope'), 'system/Observation.rs')
  })

  test('raw Basic and the form carry the secret as it is', async () => {
    const peer = await startScriptedPeer()
    for (const method of ['client_secret_basic_raw', 'client_secret_post'] as const) {
      const credentials = { secrets: () => [secret] }
      await ask(
        connectionTo(peer.tokenEndpoint, { clientId, authentication: { method } }, credentials),
      )
    }
    const [raw, post] = peer.requests
    assert.equal(basicOf(raw!), `${clientId}:${secret}`)
    assert.equal(post?.form.get('client_id'), clientId)
    assert.equal(post?.form.get('client_secret'), secret)
    assert.equal(post?.headers.authorization, undefined)
  })

  test('a server that does not decode takes the raw form only; probing is two requests, and only on request', async () => {
    const peer = await startScriptedPeer((request) => {
      const post = request.form.get('client_secret')
      const isRight = basicOf(request) === `${clientId}:${secret}` || post === secret
      return isRight
        ? { body: PLAIN_TOKEN }
        : { status: 401, body: { error: 'invalid_client', error_description: 'no' } }
    })
    const by = (method: 'client_secret_basic' | 'client_secret_basic_raw' | 'client_secret_auto') =>
      ask(
        connectionTo(
          peer.tokenEndpoint,
          { clientId, authentication: { method } },
          { secrets: () => [secret, 'another', 'a third'] },
        ),
      )
    tokenOf(await by('client_secret_basic_raw'))
    assert.equal(peer.requests.length, 1)
    assert.deepEqual(tokenOf(await by('client_secret_auto')).warnings, [])
    assert.equal(peer.requests.length, 3)
    const failure = failureOf(await by('client_secret_basic'))
    assert.equal(failure.code, 'oauth_secret_encoding')
    assert.equal(peer.requests.length, 5)
  })

  test('a refused first secret rests for an hour while the second one works', async () => {
    const valid = new Set(['old'])
    const peer = await startScriptedPeer((request) => {
      const given = basicOf(request).split(':')[1] ?? ''
      return valid.has(given)
        ? { body: PLAIN_TOKEN }
        : { status: 401, body: { error: 'invalid_client' } }
    })
    const events: RequesterEvent[] = []
    let nowMs = Date.now()
    const requester = createTokenRequester({ nowMs: () => nowMs, onEvent: (e) => events.push(e) })
    const connection = connectionTo(
      peer.tokenEndpoint,
      {},
      { secrets: () => ['new', 'old', 'oldest'], secretSources: ['env:NEW', 'env:OLD', 'env:O'] },
    )
    const signal = AbortSignal.timeout(30_000)
    const next = async () => {
      const before = peer.requests.length
      const outcome = await requester.request(targetOf(connection), { signal })
      const used = peer.requests.slice(before).map((each) => basicOf(each).split(':')[1])
      return { outcome, used }
    }

    const first = await next()
    assert.deepEqual(first.used, ['new', 'old'])
    assert.ok(tokenOf(first.outcome).warnings.includes('credential_fallback'))
    assert.deepEqual(events, [
      { type: 'credential_fallback', connection: 'lab', refused: 'env:NEW', used: 'env:OLD' },
    ])
    assert.deepEqual((await next()).used, ['old'])
    nowMs += 3_500_000
    assert.deepEqual((await next()).used, ['old'])
    nowMs += 200_000
    assert.deepEqual((await next()).used, ['new', 'old'])
    valid.delete('old')
    const none = await next()
    assert.ok(none.used.length <= 2)
    assert.equal(failureOf(none.outcome).provider?.error, 'invalid_client')
  })

  test('another error than a refused client leaves the second secret alone', async () => {
    const peer = await startScriptedPeer({ status: 400, body: { error: 'invalid_scope' } })
    const connection = connectionTo(peer.tokenEndpoint, {}, { secrets: () => ['one', 'two'] })
    assert.equal(failureOf(await ask(connection)).code, 'oauth_invalid_scope')
    assert.equal(peer.requests.length, 1)
  })

  test('no secret, or an empty one, is never sent', async () => {
    const peer = await startScriptedPeer()
    for (const [secrets, code] of [
      [[], /secret/],
      [[''], /secret/],
    ] as const) {
      const failure = failureOf(
        await ask(connectionTo(peer.tokenEndpoint, {}, { secrets: () => secrets })),
      )
      assert.equal(failure.wasSent, false)
      assert.match(failure.code, code)
    }
    assert.equal(peer.requests.length, 0)
  })

  test('every request has an assertion of its own, as the profile of the provider wants it', async () => {
    const peer = await startScriptedPeer()
    const nowMs = () => Date.parse('2031-05-05T10:00:00Z')
    const connection = connectionTo(
      peer.tokenEndpoint,
      {
        preset: 'smart',
        url: 'https://fhir.example/r4',
        clientId: 'app',
        authentication: { jwksUrl: 'https://us.example/jwks' },
      },
      { signer: signer('RS384') },
    )
    const requester = createTokenRequester({ nowMs })
    const options = { signal: AbortSignal.timeout(30_000) }
    await requester.request(targetOf(connection), options)
    await requester.request(targetOf(connection), options)
    const [first, second] = peer.requests.map(({ form }) => form.get('client_assertion') ?? '')
    assert.deepEqual(decodeProtectedHeader(first!), {
      alg: 'RS384',
      kid: 'key-1',
      typ: 'JWT',
      jku: 'https://us.example/jwks',
    })
    const iat = nowMs() / 1000
    const { jti, ...claims } = decodeJwt(first!)
    const aud = peer.tokenEndpoint
    assert.deepEqual(claims, { iss: 'app', sub: 'app', aud, iat, nbf: iat, exp: iat + 240 })
    assert.notEqual(jti, decodeJwt(second!).jti)
    const publicKey = await importSPKI(RSA.publicKey, 'RS384')
    await jwtVerify(first!, publicKey, { currentDate: new Date(nowMs()) })
    assert.equal(
      peer.requests[0]?.form.get('client_assertion_type'),
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    )
  })

  test('Entra gets PS256 with the thumbprint of the certificate', async () => {
    const peer = await startScriptedPeer()
    const { cert, key } = (await makeTestCertificates()).client
    const withCertificate = readKeyMaterial({ text: key, certificate: cert, name: 'entra key' })
    const made = createKeySigner(withCertificate, { alg: 'PS256' })
    const connection = connectionTo(
      peer.tokenEndpoint,
      { preset: 'entra', scopes: ['api://fhir/.default'] },
      { signer: async () => made },
    )
    tokenOf(await ask(connection))
    const { form } = only(peer.requests)
    const assertion = form.get('client_assertion') ?? ''
    const der = new X509Certificate(cert).raw
    assert.deepEqual(decodeProtectedHeader(assertion), {
      alg: 'PS256',
      typ: 'JWT',
      'x5t#S256': createHash('sha256').update(der).digest('base64url'),
    })
    const claims = decodeJwt(assertion)
    assert.equal(claims.aud, peer.tokenEndpoint)
    assert.ok((claims.exp ?? 0) - (claims.nbf ?? 0) <= 600)
    assert.equal(form.get('scope'), 'api://fhir/.default')
  })

  test('a key without a certificate is told before anything is sent', async () => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(
      peer.tokenEndpoint,
      { preset: 'entra', scopes: ['api://fhir/.default'] },
      { signer: signer('PS256') },
    )
    const failure = failureOf(await ask(connection))
    assert.equal(failure.kind, 'configuration')
    assert.equal(failure.wasSent, false)
    assert.match(failure.cause, /x5t#S256/)
    assert.equal(peer.requests.length, 0)
  })

  test('a key that is not there, and one that cannot be read now, are told apart', async () => {
    const peer = await startScriptedPeer()
    const by = async (error: Error) => {
      const signer = async () => {
        throw error
      }
      return failureOf(await ask(connectionTo(peer.tokenEndpoint, {}, { signer })))
    }
    const missing = await by(new SignKeyUnavailable('no key `partner1`'))
    assert.deepEqual([missing.kind, missing.code], ['configuration', 'key_unusable'])
    assert.match(missing.cause, /partner1/)
    const away = await by(new Error('connect ECONNREFUSED 10.0.0.1:5432'))
    assert.deepEqual([away.kind, away.code], ['temporary', 'key_unreachable'])
    assert.equal(peer.requests.length, 0)
  })

  test('`none` names the client only', async () => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(
      peer.tokenEndpoint,
      { grant: 'refresh_token' },
      { refreshToken: () => 'a-refresh-token' },
    )
    tokenOf(await ask(connection))
    const { form, headers } = only(peer.requests)
    assert.equal(form.get('client_id'), 'lab-reader')
    assert.equal(headers.authorization, undefined)
  })
})

describe('Grants', () => {
  test('a Google service account signs the grant itself, with scopes and subject in it', async () => {
    const peer = await startScriptedPeer({ body: { ...PLAIN_TOKEN, scope: undefined } })
    const connection = connectionTo(
      peer.tokenEndpoint,
      {
        preset: 'google',
        clientId: 'robot@project.iam.example',
        scopes: ['https://mail.google.com/', 'b'],
        subject: 'nurse@clinic.example',
      },
      { signer: signer('RS256') },
    )
    tokenOf(await ask(connection))
    const { form } = only(peer.requests)
    assert.deepEqual([...form.keys()].sort(), ['assertion', 'client_id', 'grant_type'])
    const { iss, sub, aud, scope, exp = 0, iat = 0 } = decodeJwt(form.get('assertion') ?? '')
    assert.deepEqual(
      { iss, sub, aud, scope, lifetime: exp - iat },
      {
        iss: 'robot@project.iam.example',
        sub: 'nurse@clinic.example',
        aud: peer.tokenEndpoint,
        scope: 'https://mail.google.com/ b',
        lifetime: 3600,
      },
    )
  })

  test('a generic assertion names scopes in the form, and may authenticate the client as well', async () => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(
      peer.tokenEndpoint,
      {
        grant: 'jwt_bearer',
        subject: 'user-1',
        assertion: { issuer: 'me', audience: 'https://them.example', claims: { tenant: 't' } },
        authentication: { method: 'private_key_jwt' },
      },
      { signer: signer('RS256') },
    )
    tokenOf(await ask(connection))
    const { form } = only(peer.requests)
    const grant = decodeJwt(form.get('assertion') ?? '')
    const client = decodeJwt(form.get('client_assertion') ?? '')
    assert.deepEqual(
      [grant.iss, grant.sub, grant.aud, grant.tenant],
      ['me', 'user-1', 'https://them.example', 't'],
    )
    assert.equal(client.sub, 'lab-reader')
    assert.notEqual(grant.jti, client.jti)
    assert.equal(form.get('scope'), 'system/Observation.rs')
  })

  test('a token is exchanged with its type, its actor and its audience', async () => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(
      peer.tokenEndpoint,
      { grant: 'token_exchange', audience: 'records', resource: 'https://records.example' },
      { secrets: () => ['s3cret'], subjectToken: () => 'theirs', actorToken: () => 'ours' },
    )
    tokenOf(await ask(connection))
    const { form } = only(peer.requests)
    assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:token-exchange')
    assert.equal(form.get('subject_token'), 'theirs')
    assert.equal(form.get('actor_token'), 'ours')
    const type = 'urn:ietf:params:oauth:token-type:access_token'
    assert.equal(form.get('subject_token_type'), type)
    assert.equal(form.get('actor_token_type'), type)
    assert.equal(form.get('audience'), 'records')
    assert.equal(form.get('resource'), 'https://records.example')
  })

  test('a refresh asks for scopes only if they were written for it, or are fewer', async () => {
    const peer = await startScriptedPeer()
    const signedIn = connectionTo(peer.tokenEndpoint, {
      grant: 'authorization_code',
      scopes: ['openid', 'a', 'b'],
    })
    const requester = createTokenRequester({ nowMs: Date.now })
    const options = { refreshToken: 'r1', signal: AbortSignal.timeout(30_000) }
    await requester.request(targetOf(signedIn), options)
    await requester.request(targetOf(signedIn, { scopes: ['a'] }), options)
    await ask(connectionTo(peer.tokenEndpoint, { grant: 'refresh_token' }), { refreshToken: 'r2' })
    const scopes = peer.requests.map(({ form }) => form.get('scope'))
    assert.deepEqual(scopes, [null, 'a', 'system/Observation.rs'])
    assert.deepEqual(
      peer.requests.map(({ form }) => form.get('refresh_token')),
      ['r1', 'r1', 'r2'],
    )
  })

  test('without a refresh token a user must sign in, and nothing is sent', async () => {
    const peer = await startScriptedPeer()
    const connection = connectionTo(peer.tokenEndpoint, { grant: 'authorization_code' })
    const failure = failureOf(await ask(connection))
    assert.deepEqual(
      [failure.kind, failure.code, failure.wasSent],
      ['sign-in', 'sign_in_needed', false],
    )
    assert.equal(peer.requests.length, 0)
  })

  test('Okta is not asked for `openid` with client credentials, Keycloak is', async () => {
    const peer = await startScriptedPeer({ body: { ...PLAIN_TOKEN, scope: undefined } })
    const scopes = ['openid', 'fhir.read']
    const okta = connectionTo(peer.tokenEndpoint, { preset: 'okta', scopes, dpop: false })
    const keycloak = connectionTo(peer.tokenEndpoint, { preset: 'keycloak', scopes })
    assert.deepEqual(tokenOf(await ask(okta)).warnings, ['scope_not_sent'])
    assert.deepEqual(tokenOf(await ask(keycloak)).warnings, [])
    assert.deepEqual(
      peer.requests.map(({ form }) => form.get('scope')),
      ['fhir.read', 'openid fhir.read'],
    )
  })
})

describe('Proof of possession', () => {
  test('a nonce is taken once, kept for the next request, and the token belongs to the key', async () => {
    const peer = await startScriptedPeer(answerWithNonce)
    const connection = connectionTo(peer.tokenEndpoint, { dpop: true })
    const requester = createTokenRequester({ nowMs: Date.now })
    const options = { signal: AbortSignal.timeout(30_000) }
    const token = tokenOf(await requester.request(targetOf(connection), options))
    assert.equal(token.type, 'DPoP')
    assert.equal(peer.requests.length, 2)
    await requester.request(targetOf(connection), options)
    assert.equal(peer.requests.length, 3)

    const [first, second] = peer.requests.map(({ headers }) => String(headers.dpop))
    assert.equal(decodeJwt(first!).nonce, undefined)
    assert.equal(decodeJwt(second!).nonce, 'nonce-1')
    assert.notEqual(decodeJwt(first!).jti, decodeJwt(second!).jti)
    const { payload } = await jwtVerify(second!, EmbeddedJWK, { typ: 'dpop+jwt' })
    assert.equal(payload.htu, peer.tokenEndpoint)
    assert.equal(payload.htm, 'POST')

    const headers = await tokenHeaders(
      token,
      Date.now,
    )({
      method: 'GET',
      url: 'https://fhir.example/Patient?name=x#y',
      dpopNonce: 'n2',
    })
    assert.equal(headers.authorization, 'DPoP an-access-token')
    const proof = await jwtVerify(headers.dpop!, EmbeddedJWK, { typ: 'dpop+jwt' })
    assert.equal(proof.payload.htu, 'https://fhir.example/Patient')
    assert.equal(proof.payload.nonce, 'n2')
    assert.equal(
      proof.payload.ath,
      createHash('sha256').update('an-access-token').digest('base64url'),
    )
    const { jwk } = decodeProtectedHeader(headers.dpop!)
    const { jwk: atTokenEndpoint } = decodeProtectedHeader(second!)
    assert.equal(await calculateJwkThumbprint(jwk!), await calculateJwkThumbprint(atTokenEndpoint!))
    assert.equal('d' in jwk!, false)
  })

  test('a server that asks for nonces for ever is asked twice', async () => {
    const peer = await startScriptedPeer((_, count) => ({
      status: 400,
      headers: { 'dpop-nonce': `nonce-${count}` },
      body: { error: 'use_dpop_nonce' },
    }))
    failureOf(await ask(connectionTo(peer.tokenEndpoint, { dpop: true })))
    assert.equal(peer.requests.length, 2)
  })

  test('a bearer token in answer to a proof is taken with a warning, and without a key', async () => {
    const peer = await startScriptedPeer()
    const token = tokenOf(await ask(connectionTo(peer.tokenEndpoint, { dpop: true })))
    assert.equal(token.dpopKey, undefined)
    assert.deepEqual(token.warnings, ['dpop_not_bound'])
  })
})

function answerWithNonce({ headers }: SeenRequest) {
  const { nonce } = decodeJwt(String(headers.dpop))
  return nonce === 'nonce-1'
    ? { body: { ...PLAIN_TOKEN, token_type: 'DPoP' } }
    : {
        status: 400,
        headers: { 'dpop-nonce': 'nonce-1' },
        body: { error: 'use_dpop_nonce', error_description: 'nonce, please' },
      }
}
