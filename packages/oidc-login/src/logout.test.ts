import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type LogoutTokenReason, LogoutTokenRefused } from '@scopegate/oidc-login'
import { openUpstream, signIn } from './testing/open-upstream.ts'

async function refusalOf(run: Promise<unknown>): Promise<LogoutTokenRefused> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof LogoutTokenRefused) return error
  throw error ?? new Error('nothing was refused')
}

describe('a logout token', () => {
  test('of the provider names the session that ended, once', async () => {
    const { lab, logins } = openUpstream('keycloak')
    const token = lab.mintLogoutToken({ clientId: 'scopegate', userId: 'nora', sessionId: 's-1' })
    assert.deepEqual(await logins.verifyLogoutToken('keycloak', token), {
      provider: 'keycloak',
      issuer: lab.issuer,
      subject: lab.subjectOf('nora', 'scopegate'),
      sessionId: 's-1',
    })
    const again = await refusalOf(logins.verifyLogoutToken('keycloak', token))
    assert.equal(again.reason, 'logout_token_replayed')
    const bySubject = lab.mintLogoutToken({ clientId: 'scopegate', userId: 'nora' })
    assert.equal((await logins.verifyLogoutToken('keycloak', bySubject)).sessionId, undefined)
  })

  const now = Math.floor(Date.now() / 1000)
  const wrong: readonly [string, { claims?: object; header?: object }, LogoutTokenReason][] = [
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, 'logout_token_issuer'],
    ['for another client', { claims: { aud: 'another' } }, 'logout_token_audience'],
    ['an hour old', { claims: { iat: now - 3600, exp: now + 60 } }, 'logout_token_times'],
    ['of the future', { claims: { iat: now + 3600, exp: now + 3700 } }, 'logout_token_times'],
    ['expired', { claims: { exp: now - 60 } }, 'logout_token_times'],
    ['without time', { claims: { iat: undefined } }, 'logout_token_times'],
    ['without id', { claims: { jti: undefined } }, 'logout_token_claims'],
    ['with a nonce, so an ID token', { claims: { nonce: 'n' } }, 'logout_token_claims'],
    ['without event', { claims: { events: undefined } }, 'logout_token_claims'],
    ['with another event', { claims: { events: { x: {} } } }, 'logout_token_claims'],
    ['with an event that is no object', { claims: { events: null } }, 'logout_token_claims'],
    ['that names nobody', { claims: { sub: undefined } }, 'logout_token_claims'],
    ['of another type', { header: { typ: 'at+jwt' } }, 'logout_token_claims'],
    ['with an unknown key', { header: { kid: 'nobody' } }, 'logout_token_signature'],
    ['by a symmetric algorithm', { header: { alg: 'HS256' } }, 'logout_token_signature'],
    ['unsigned', { header: { alg: 'none' } }, 'logout_token_signature'],
  ]
  for (const [how, { claims = {}, header = {} }, reason] of wrong) {
    test(`${how} is refused: ${reason}`, async () => {
      const { lab, logins } = openUpstream('keycloak')
      const token = lab.mintLogoutToken({
        clientId: 'scopegate',
        userId: 'nora',
        claims: claims as Record<string, unknown>,
        header: header as Record<string, unknown>,
      })
      const refused = await refusalOf(logins.verifyLogoutToken('keycloak', token))
      assert.equal(refused.reason, reason, refused.message)
      assert.equal(refused.status, 400)
      assert.ok(!refused.message.includes(token))
    })
  }

  test('altered, or no token at all, is refused', async () => {
    const { lab, logins } = openUpstream('keycloak')
    const token = lab.mintLogoutToken({ clientId: 'scopegate', userId: 'nora' })
    const [header, , signature] = token.split('.')
    const claims = { iss: lab.issuer, aud: 'scopegate', sub: 'somebody-else' }
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
    for (const text of ['', 'x', 'a.b.c', `${header}.${body}.${signature}`]) {
      const refused = await refusalOf(logins.verifyLogoutToken('keycloak', text))
      assert.match(refused.reason, /^logout_token_(malformed|signature)$/)
    }
  })

  test('during an outage is told as one, so that the provider sends it again', async () => {
    const { lab, logins } = openUpstream('keycloak')
    const token = lab.mintLogoutToken({ clientId: 'scopegate', userId: 'nora' })
    lab.faults.add('down')
    const refused = await refusalOf(logins.verifyLogoutToken('keycloak', token))
    assert.equal(refused.reason, 'provider_unavailable')
    assert.equal(refused.status, 503)
  })

  test('of a session that the lab ends reaches the client', async () => {
    const posted: string[] = []
    const upstream = openUpstream('keycloak', {
      client: { backchannelLogoutUri: 'https://fhir.example/logout' },
      labFetch: async (_, init) => {
        posted.push(new URLSearchParams(String(init?.body)).get('logout_token') ?? '')
        return new Response()
      },
    })
    const done = await signIn(upstream)
    assert.deepEqual(await upstream.lab.logOut('nora'), [{ clientId: 'scopegate', status: 200 }])
    const ended = await upstream.logins.verifyLogoutToken('keycloak', posted[0] ?? '')
    assert.equal(ended.sessionId, done.upstreamSessionId)
    assert.equal(ended.subject, done.subject)
  })
})

describe('logging out at the provider', () => {
  test('leads there with a hint, and back to us', async () => {
    const upstream = openUpstream('keycloak')
    const done = await signIn(upstream)
    const address = await upstream.logins.logoutUrl('keycloak', {
      returnTo: 'https://fhir.example/signed-out',
      logoutHint: done.logoutHint ?? '',
    })
    const url = new URL(address ?? '')
    assert.equal(url.pathname, '/realms/clinic/protocol/openid-connect/logout')
    assert.equal(url.searchParams.get('client_id'), 'scopegate')
    const answer = await upstream.lab.fetch(new Request(url))
    assert.equal(answer.headers.get('location'), 'https://fhir.example/signed-out')
  })

  test('is not offered where the provider has no address for it', async () => {
    const { logins } = openUpstream('google')
    const returnTo = 'https://fhir.example/signed-out'
    assert.equal(await logins.logoutUrl('google', { returnTo }), undefined)
  })
})
