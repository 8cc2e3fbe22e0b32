import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createLabOpenIdProvider,
  LAB_FLAVOURS,
  type LabFlavourName,
  serveLabOpenIdProvider,
} from '@scopegate/lab'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client'

const REDIRECT = 'http://127.0.0.1/callback'
const flavours = Object.keys(LAB_FLAVOURS) as LabFlavourName[]
const read = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('the lab OpenID Provider', () => {
  for (const flavour of flavours) {
    test(`of flavour ${flavour} signs in a client that was not written for it`, async (t) => {
      const lab = await serveLabOpenIdProvider({ flavour })
      t.after(() => lab.close())
      const config = await discovery(new URL(lab.issuer), 'app', 'any secret', undefined, {
        execute: [allowInsecureRequests, enableNonRepudiationChecks],
      })
      const pkceCodeVerifier = 'v'.repeat(43)
      const url = buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT,
        scope: 'openid profile',
        state: 's',
        nonce: 'n',
        code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      })
      const chooser = await (await fetch(url)).text()
      for (const { name } of lab.users) assert.ok(chooser.includes(name))
      assert.ok(!chooser.includes('<script'))
      url.searchParams.set('lab_user', 'nora')
      const answer = await fetch(url, { redirect: 'manual' })
      const location = new URL(answer.headers.get('location') ?? '')
      assert.equal(location.searchParams.get('state'), 's')
      const tokens = await authorizationCodeGrant(config, location, {
        pkceCodeVerifier,
        expectedState: 's',
        expectedNonce: 'n',
      })
      const claims = tokens.claims()
      assert.equal(claims?.sub, lab.subjectOf('nora', 'app'))
      assert.equal(claims?.iss, lab.issuer)
      const info = await fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
      assert.equal(info.name, 'Nora Nurse')
    })
  }

  test('holds a registered client to its redirect URI, its secret, its code and its PKCE', async () => {
    const lab = createLabOpenIdProvider({
      flavour: 'generic',
      issuer: 'https://idp.example',
      clients: [{ clientId: 'app', secret: 'right', redirectUris: [REDIRECT] }],
    })
    const authorize = (changes: Record<string, string>) => {
      const url = new URL('https://idp.example/authorize?lab_user=nora&response_type=code')
      const asked = { client_id: 'app', redirect_uri: REDIRECT, ...changes }
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
      return lab.fetch(new Request(url))
    }
    for (const changes of [
      { client_id: 'nobody' },
      { redirect_uri: 'https://evil.example/' },
      { redirect_uri: `${REDIRECT}/` },
      { lab_user: 'nobody' },
    ] as Record<string, string>[]) {
      const response = await authorize(changes)
      assert.equal(response.status, 400)
      assert.equal(response.headers.get('location'), null)
    }
    const script = await authorize({ redirect_uri: 'https://x/<script>alert(1)</script>' })
    assert.ok(!(await script.text()).includes('<script>'))

    const code = async () => {
      const challenge = await calculatePKCECodeChallenge('verifier')
      const response = await authorize({
        code_challenge: challenge,
        code_challenge_method: 'S256',
      })
      return new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? ''
    }
    const redeem = async (changes: Record<string, string>) => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: 'app',
        client_secret: 'right',
        redirect_uri: REDIRECT,
        code_verifier: 'verifier',
        ...changes,
      })
      const request = new Request('https://idp.example/token', { method: 'POST', body })
      return (await lab.fetch(request)).status
    }
    const used = await code()
    assert.equal(await redeem({ code: used }), 200)
    assert.equal(await redeem({ code: used }), 400)
    assert.equal(await redeem({ code: await code(), client_secret: 'wrong' }), 401)
    assert.equal(await redeem({ code: await code(), code_verifier: 'another' }), 400)
    assert.equal(await redeem({ code: await code(), redirect_uri: 'https://x/' }), 400)
  })

  test('mints logout tokens that name a session and carry no nonce', () => {
    const lab = createLabOpenIdProvider({
      flavour: 'keycloak',
      issuer: 'https://sso.example/realms/x',
    })
    const token = lab.mintLogoutToken({ clientId: 'app', userId: 'nora', sessionId: 's' })
    const { events, nonce, sid, sub, aud } = read(token)
    assert.deepEqual(events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
    assert.deepEqual([nonce, sid, aud], [undefined, 's', 'app'])
    assert.equal(sub, lab.subjectOf('nora', 'app'))
    assert.throws(() => lab.subjectOf('nobody', 'app'), /no user `nobody`/)
  })
})
