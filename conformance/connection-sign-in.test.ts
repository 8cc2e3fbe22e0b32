import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { serveLabOpenIdProvider } from '@scopegate/lab'
import { createBrowser, isAway } from './support/browser.ts'
import { openSmartServer } from './support/open-smart-server.ts'

const provider = await serveLabOpenIdProvider({
  flavour: 'generic',
  refreshTokens: { rotate: true },
})
const server = await openSmartServer({
  withoutSample: true,
  environment: { MAILBOX_SECRET: 'the-secret-of-the-mailbox' },
  yaml: `connections:
  - name: mailbox
    issuer: ${provider.issuer}
    grant: authorization_code
    clientId: mailbox-app
    authentication: { secrets: [env:MAILBOX_SECRET] }
    scopes: [openid, offline_access, mail.read]
    authorizationParameters: { prompt: login }
`,
})
after(() => Promise.all([server.close(), provider.close()]))

const token = async () => {
  const response = await server.adminCall('GET', '/connections/mailbox/token')
  return { status: response.status, json: JSON.parse(await response.text()) }
}

const ENDED = { action: 'connection.authorized', target: 'connection/mailbox' }

/** How sign-ins ended, as the audit has it; what was never begun is not in it. */
const signInRows = async () =>
  (await server.sql('SELECT content FROM audit_admin ORDER BY seq'))
    .map(({ content }) => JSON.parse(String(content)))
    .filter(({ action }) => action === ENDED.action)
    .map(({ action, target, decision, status }) => ({ action, target, decision, status }))

test('a user signs in for a connection in a browser, comes back to this server, and tokens flow from then on', async () => {
  const before = await token()
  assert.equal(before.status, 502)
  assert.equal(before.json.failure.kind, 'sign-in')

  const callback = `${server.url}/admin/connections/callback`
  const begun = await server.admin<{ authorization_url: string; sign_in: string }>(
    'POST',
    '/connections/mailbox/authorize',
    { redirect_uri: callback },
  )
  const browser = createBrowser(provider.url)
  const chooser = await browser.open(begun.authorization_url)
  assert.ok(!isAway(chooser))
  const [nora] = chooser.links.filter(({ text }) => text.includes('Nora'))
  const back = await browser.open(nora?.href ?? '')
  assert.ok(isAway(back))
  assert.equal(`${back.away.origin}${back.away.pathname}`, callback)

  const forged = await fetch(`${callback}?code=x&state=mailbox.v1.forged`)
  assert.equal(forged.status, 400)
  const page = await fetch(back.away)
  assert.equal(page.status, 200)
  const html = await page.text()
  assert.match(html, /Signed in/)
  assert.ok(!html.includes(back.away.searchParams.get('code') ?? '-'))
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)

  const first = await token()
  assert.equal(first.status, 200, JSON.stringify(first.json))
  assert.ok(provider.readAccessToken(first.json.access_token)?.userId)

  const again = await fetch(back.away)
  assert.equal(again.status, 400, 'the same code a second time')
  assert.deepEqual(await signInRows(), [
    { ...ENDED, decision: 'permitted', status: 200 },
    { ...ENDED, decision: 'refused', status: 400 },
  ])
  assert.equal((await token()).status, 200)
})
