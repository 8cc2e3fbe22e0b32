import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isAway } from './support/browser.ts'
import { openEchoApp } from './support/echo-app.ts'
import { navigate } from './support/navigate.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'

// With https, by a CA that the server itself does not trust as a client would have to.
const echo = await openEchoApp()
const server = await openSmartServer({
  tls: true,
  withoutSample: true,
  yaml: `apis:
  - name: My desk
    path: /desk
    upstream: ${echo.url}
    auth: { mode: login, username: preferred_username, login: { scopes: [profile], afterLogout: /desk/public/bye } }
    routes: [{ path: /public/*, public: true }, { path: "/*" }]
    forward: { headers: { X-User: username }, jwt: { header: X-Identity } }
`,
})
after(async () => {
  await server.close()
  await echo.close()
})

test('cookies are bound to the host by the browser, and the server reaches itself', async () => {
  const person = await server.user({ fhirUser: null })
  const browser = browserOf(server, navigate)
  const login = await browser.open(`${server.url}/desk/reports?x=1`)
  assert.ok(!isAway(login))
  const waiting = browser.cookies.list().find(({ name }) => name.includes('scopegate_login_'))
  assert.match(waiting?.name ?? '', /^__Host-scopegate_login_my-desk_/)
  const form = login.forms.find(({ fields }) => fields.some(({ name }) => name === 'password'))
  assert.ok(form)
  const { username, password } = person
  const page = await browser.submit(form, { username, password })
  assert.ok(!isAway(page))
  assert.equal(page.status, 200, page.html)
  assert.equal(page.url, `${server.url}/desk/reports?x=1`)

  const cookie = browser.cookies.list().find(({ name }) => name.includes('scopegate_web_'))
  assert.match(cookie?.name ?? '', /^__Host-scopegate_web_my-desk_/)
  assert.ok(cookie?.attributes.has('secure'))
  assert.equal(cookie?.path, '/')
  assert.equal(cookie?.attributes.has('domain'), false)

  const reached = echo.requests.at(-1)
  assert.equal(reached?.headers['x-user'], username)
  const [, claims = ''] = String(reached?.headers['x-identity']).split('.')
  const identity = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
    string,
    unknown
  >
  assert.equal(identity.iss, server.url)
  assert.equal(identity.aud, 'My desk')

  // `__Host-` cookies go everywhere on the host, so that other paths must not pass them on either.
  const open = await browser.open(`${server.url}/desk/public/page`)
  assert.ok(!isAway(open))
  assert.equal(echo.requests.at(-1)?.headers.cookie, undefined)

  const asking = await browser.open(`${server.url}/desk/.scopegate/logout`)
  assert.ok(!isAway(asking) && asking.forms[0])
  const issuer = await browser.submit(asking.forms[0])
  assert.ok(!isAway(issuer) && issuer.forms[0])
  const done = await browser.submit(issuer.forms[0], {}, issuer.forms[0].buttons[0])
  assert.ok(!isAway(done))
  assert.equal(new URL(done.url).pathname, '/desk/public/bye')
})
