import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createStubBrowser } from '../testing/browse.ts'
import {
  authorizationOf,
  authorize,
  exchange,
  launch,
  REDIRECT_URI,
} from '../testing/launch-app.ts'
import { claimsOf, headerOf, type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
const AFTER = 'https://app.example/bye'
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp({ postLogoutRedirectUris: [AFTER] })).id
})
after(() => at.close())

const xsrfOf = (page: string) => /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''

test('an app signs its user out: the session ends, and with it what was online', async () => {
  at.signIn.decision = { context: { patient: 'p1' } }
  at.signIn.alive.clear()
  const browser = createStubBrowser(at.issuer)
  const request = authorizationOf(at, app, {
    scope: 'openid launch/patient patient/Observation.rs online_access',
  })
  const { answer } = await authorize(at, request, { browser })
  const { body } = await exchange(at.address, {
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: request.verifier,
    client_id: app,
  })
  const [session] = at.signIn.alive.values()
  browser.jar.set('scopegate_session /', { value: `cookie-${session?.id}`, path: '/' })

  const query = new URLSearchParams({
    id_token_hint: body.id_token,
    post_logout_redirect_uri: AFTER,
    state: 's',
  })
  const asked = await browser.request(`${at.issuer}/oauth/logout?${query}`)
  const page = await asked.text()
  assert.match(page, /Sign out\?/)
  assert.equal(at.signIn.alive.size, 1, 'not before the user says yes')

  const { url } = await browser.follow(`${at.issuer}/oauth/logout/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf: xsrfOf(page), logout: 'yes' }),
  })
  assert.equal(url, `${AFTER}?state=s`)
  assert.equal(at.signIn.alive.size, 0)
  assert.ok(![...browser.jar.keys()].some((key) => key.startsWith('scopegate_session')))
  const refreshed = await exchange(at.address, {
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token,
    client_id: app,
  })
  assert.equal(refreshed.body.error, 'invalid_grant')
})

test('no page can sign people out: they are asked, with or without a launch before', async () => {
  at.signIn.decision = { context: { patient: 'p1' } }
  at.signIn.alive.clear()
  await launch(at, app)
  const [session] = at.signIn.alive.values()
  const browser = createStubBrowser(at.issuer)
  browser.jar.set('scopegate_session /', { value: `cookie-${session?.id}`, path: '/' })
  const page = await (await browser.request(`${at.issuer}/oauth/logout`)).text()
  assert.match(page, /Sign out\?/)
  assert.doesNotMatch(page, /<script/)
  const forged = await browser.request(`${at.issuer}/oauth/logout/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf: 'guessed', logout: 'yes' }),
  })
  assert.equal(forged.status, 400)
  assert.equal(at.signIn.alive.size, 1)
  await browser.follow(`${at.issuer}/oauth/logout/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf: xsrfOf(page), logout: 'yes' }),
  })
  assert.equal(at.signIn.alive.size, 0)
})

test('nobody is sent to an address that is not registered', async () => {
  at.signIn.decision = { context: { patient: 'p1' } }
  const { body } = await launch(at, app)
  const query = new URLSearchParams({
    id_token_hint: body.id_token,
    post_logout_redirect_uri: 'https://evil.example',
  })
  const response = await fetch(`${at.issuer}/oauth/logout?${query}`, { redirect: 'manual' })
  assert.equal(response.status, 400)
  assert.equal(response.headers.get('location'), null)
})

test('an app that wants to know is told, with the `sid` of its launch', async () => {
  const tokens: string[] = []
  const listener = createServer(async (request, response) => {
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString())
    tokens.push(form.get('logout_token') ?? '')
    response.writeHead(200).end()
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  const told = await at.addApp({ backchannelLogoutUri: `http://127.0.0.1:${port}/logout` })
  const deaf = await at.addApp({ backchannelLogoutUri: 'http://127.0.0.1:1/logout' })
  at.signIn.decision = { context: { patient: 'p1' } }
  const launches = [await launch(at, told.id), await launch(at, told.id), await launch(at, deaf.id)]
  const sids = launches.map(({ body }) => claimsOf(body.id_token).sid)
  assert.equal(new Set(sids).size, 3, 'one for each launch')

  for (const id of at.signIn.alive.keys()) await at.signIn.parts().logOut(id)
  assert.equal(at.signIn.alive.size, 0, 'an app that cannot be reached changes nothing')
  assert.equal(at.errors.length, 1)
  at.errors.length = 0
  listener.close()
  const claims = tokens.map(claimsOf)
  assert.deepEqual(new Set(claims.map(({ sid }) => sid)), new Set(sids.slice(0, 2)))
  for (const [index, token] of tokens.entries()) {
    assert.equal(headerOf(token).alg, 'RS256')
    assert.equal(headerOf(token).typ, 'logout+jwt')
    const { aud, sub, iss, events } = claims[index] ?? {}
    assert.deepEqual({ aud, sub, iss }, { aud: told.id, sub: 'u_carla', iss: at.issuer })
    assert.deepEqual(events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  }
})
