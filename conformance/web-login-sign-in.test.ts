import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAway } from './support/browser.ts'
import { navigate } from './support/navigate.ts'
import { openWebApps } from './support/open-web-app.ts'

// Web apps that know nothing of OAuth, behind the whole server (S2, S3).
const apps = await openWebApps()
const { server, echo } = apps
after(() => apps.close())

describe('a page of a web app', () => {
  test('sends the browser to sign in with PKCE, state and nonce, and lands on the deep link', async () => {
    const browser = apps.browser()
    const page = await apps.signIn(browser, '/desk/reports/7?from=2026-01-01&x=%2F#top')
    assert.equal(page.status, 200, page.html)
    const { pathname, search } = new URL(page.url)
    assert.equal(pathname + search, '/desk/reports/7?from=2026-01-01&x=%2F')
    const asked = browser.seen.find(({ url }) => url.includes('/oauth/authorize?'))
    const params = new URL(asked?.url ?? '').searchParams
    assert.equal(params.get('code_challenge_method'), 'S256')
    assert.equal(params.get('redirect_uri'), `${server.url}/desk/.scopegate/callback`)
    for (const name of ['code_challenge', 'state', 'nonce']) assert.ok(params.get(name), name)
    assert.equal(params.get('resource'), `${server.url}/desk`)

    const reached = echo.requests.at(-1)
    assert.equal(reached?.url, '/reports/7?from=2026-01-01&x=%2F')
    assert.equal(reached?.headers['x-user'], apps.person.username)
    assert.equal(reached?.headers['x-scopes'], 'openid online_access profile desk.read')
    assert.equal(reached?.headers.cookie, undefined, 'no cookie of this server')
    assert.equal(reached?.headers.authorization, undefined, 'no token, since none is configured')
  })

  test('signs in at a foreign provider, whose token goes to the app that wants it', async () => {
    const browser = apps.browser()
    const page = await apps.signInAtLab(browser, '/ward/beds?ward=3')
    assert.equal(new URL(page.url).pathname, '/ward/beds')
    const reached = echo.requests.at(-1)
    assert.equal(reached?.headers['x-user'], 'nora')
    assert.equal(reached?.headers['x-name'], 'Nora Nurse')
    assert.match(String(reached?.headers.authorization), /^Bearer \S{20,}$/)
  })

  test('is the same for HEAD, and asks for nothing once somebody is signed in', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const before = browser.seen.length
    const again = await browser.open(`${server.url}/desk/two`)
    assert.ok(!isAway(again))
    assert.equal(again.status, 200)
    assert.equal(browser.seen.length, before + 1, 'one request, no redirect')
  })

  test('needs the scopes of its route, and says which', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    assert.equal((await apps.script(browser, '/desk/read')).status, 200)
    const refused = await apps.script(browser, '/desk/admin')
    assert.equal(refused.status, 403)
    assert.deepEqual(((await refused.json()) as { neededScopes: string[] }).neededScopes, [
      'desk.admin',
    ])
  })
})

describe('who is not signed in', () => {
  test('gets 401 with a challenge and the address to sign in, as a script', async () => {
    for (const headers of [
      { accept: 'application/json' },
      { accept: '*/*' },
      { accept: 'text/html', 'sec-fetch-mode': 'cors' },
      { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' },
    ]) {
      const response = await fetch(`${server.url}/ward/beds`, { headers, redirect: 'manual' })
      assert.equal(response.status, 401, JSON.stringify(headers))
      assert.match(String(response.headers.get('www-authenticate')), /^Cookie realm="ward"/)
      assert.match(String(response.headers.get('content-type')), /problem\+json/)
      const problem = (await response.json()) as { loginUrl: string; code: string }
      assert.equal(problem.code, 'session_missing')
      assert.equal(problem.loginUrl, `${server.url}/ward/.scopegate/login`)
    }
    const both = await fetch(`${server.url}/desk/beds`, { headers: { accept: 'text/json' } })
    assert.equal(both.status, 401)
    assert.match(String(both.headers.get('www-authenticate')), /^Bearer realm="desk"/)
  })

  test('loses no form without being told', async () => {
    const response = await navigate(`${server.url}/desk/transfer`, {
      method: 'POST',
      body: 'amount=5',
      headers: { accept: 'text/html', origin: server.url },
    })
    assert.equal(response.status, 401)
    const text = await response.text()
    assert.match(text, /not taken/)
    assert.match(text, /href="\/desk\/\.scopegate\/login"/)
    assert.ok(!echo.requests.some(({ url }) => url === '/transfer'))
  })

  test('reaches what is public, and nothing else', async () => {
    const open = await fetch(`${server.url}/desk/public/logo`)
    assert.equal(open.status, 200)
  })

  test('is told by the address for scripts who is signed in', async () => {
    const browser = apps.browser()
    assert.equal((await apps.script(browser, '/desk/.scopegate/session')).status, 401)
    await apps.signIn(browser, '/desk/')
    const answer = await apps.script(browser, '/desk/.scopegate/session')
    const body = (await answer.json()) as Record<string, unknown>
    assert.equal(body.username, apps.person.username)
    assert.doesNotMatch(JSON.stringify(body), /eyJ[\w-]+\.eyJ/, 'no token')
  })
})

describe('an app for browsers and programs', () => {
  test('takes the token where there is one, and the session where there is none', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    assert.equal((await apps.script(browser, '/desk/x')).status, 200)
    const wrong = await apps.script(browser, '/desk/x', {
      headers: { authorization: 'Bearer not-a-token' },
    })
    assert.equal(wrong.status, 401, 'a wrong token is not made good by a session')
    const program = await server.app({
      scopes: 'desk.read',
      as: 'secret',
      grants: ['client_credentials'],
    })
    const token = await program.clientCredentials('desk.read', {
      set: { resource: `${server.url}/desk` },
    })
    const called = await fetch(`${server.url}/desk/read`, {
      headers: { authorization: `Bearer ${token.json.access_token}`, accept: 'text/html' },
      redirect: 'manual',
    })
    assert.equal(called.status, 200)
  })
})

describe('two tabs', () => {
  test('sign in at the same time, and both arrive', async () => {
    const browser = apps.browser()
    const one = await browser.open(`${server.url}/desk/one?tab=1`)
    const two = await browser.open(`${server.url}/desk/two?tab=2`)
    assert.ok(!isAway(one) && !isAway(two))
    const { username, password } = apps.person
    for (const [page, path] of [
      [two, '/desk/two'],
      [one, '/desk/one'],
    ] as const) {
      const form = page.forms.find(({ fields }) => fields.some(({ name }) => name === 'password'))
      assert.ok(form, page.html)
      const landed = await browser.submit(form, { username, password })
      assert.ok(!isAway(landed))
      assert.equal(landed.status, 200, landed.html)
      assert.equal(new URL(landed.url).pathname, path)
    }
  })

  test('at a foreign provider too', async () => {
    const browser = apps.browser()
    const tabs = []
    for (const tab of ['one', 'two']) {
      const there = await browser.open(`${server.url}/ward/${tab}`)
      assert.ok(isAway(there))
      tabs.push({ tab, there: there.away.href })
    }
    for (const { tab, there } of tabs.reverse()) {
      const answer = await fetch(`${there}&lab_user=paul`, { redirect: 'manual' })
      const page = await browser.open(answer.headers.get('location') ?? '')
      assert.ok(!isAway(page))
      assert.equal(new URL(page.url).pathname, `/ward/${tab}`)
    }
  })
})
