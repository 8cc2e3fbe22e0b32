import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createStubBrowser } from '../testing/browse.ts'
import { authorizationOf, exchange, launch, REDIRECT_URI } from '../testing/launch-app.ts'
import { headerOf, type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
  at.signIn.decision = { context: { patient: 'p1' } }
})
after(() => at.close())

type Jwk = { kid: string; alg: string }
const published = async () =>
  ((await (await fetch(`${at.address}/oauth/jwks`)).json()) as { keys: Jwk[] }).keys

async function isGood(idToken: string): Promise<boolean> {
  const jwk = (await published()).find(({ kid }) => kid === headerOf(idToken).kid)
  if (jwk === undefined) return false
  const [header, payload, signature = ''] = idToken.split('.')
  const key = createPublicKey({ key: jwk as never, format: 'jwk' })
  const input = Buffer.from(`${header}.${payload}`)
  return verify('sha256', input, key, Buffer.from(signature, 'base64url'))
}

test('the keys of ID tokens are published without their private part, and turn with the others', async () => {
  const before = await published()
  assert.deepEqual(before.map(({ alg }) => alg).sort(), ['ES256', 'ES256', 'RS256', 'RS256'])
  for (const key of before) {
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.ok(!(secret in key), secret)
  }
  const first = (await launch(at, app)).body
  await at.server.signingKeys.rotate()
  const second = (await launch(at, app)).body
  for (const name of ['id_token', 'access_token']) {
    assert.notEqual(headerOf(first[name]).kid, headerOf(second[name]).kid, name)
    assert.ok(
      before.some(({ kid }) => kid === headerOf(second[name]).kid),
      'known ahead of its use',
    )
  }
  assert.ok(await isGood(first.id_token), 'a rotation breaks no token')
  assert.ok(await isGood(second.id_token))
})

test('a sign-in that began before a rotation is finished after it', async () => {
  const { params, verifier } = authorizationOf(at, app)
  const browser = createStubBrowser(at.issuer)
  const start = await browser.request(`${at.issuer}/oauth/authorize?${new URLSearchParams(params)}`)
  await at.server.signingKeys.rotate()
  const { url } = await browser.follow(new URL(start.headers.get('location') ?? '', at.issuer).href)
  await at.server.signingKeys.rotate()
  const { status, body } = await exchange(at.address, {
    grant_type: 'authorization_code',
    code: new URL(url).searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
    client_id: app,
  })
  assert.equal(status, 200, JSON.stringify(body))
  assert.ok(await isGood(body.id_token))
})
