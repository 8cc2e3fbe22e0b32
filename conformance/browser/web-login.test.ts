import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { openChromium, whyNoChromium } from '../support/chromium.ts'
import { openWebApps, type WebApps } from '../support/open-web-app.ts'

// Web apps in a real browser: its cookies, its redirects, its Origin and Sec-Fetch headers.
const skip = whyNoChromium()
// Here and not in a hook, with which its database would end.
const apps: WebApps = skip === undefined ? await openWebApps() : (undefined as never)

describe('signing in to web apps with Chromium', { skip, timeout: 450_000 }, () => {
  let chromium: Awaited<ReturnType<typeof openChromium>>
  let context: BrowserContext

  before(async () => {
    chromium = await openChromium()
    context = chromium.context
  })
  after(async () => {
    await chromium?.close()
    await apps?.close()
  })

  async function freshPage(): Promise<Page> {
    await context.clearCookies()
    return newPage()
  }

  const newPage = (): Promise<Page> => context.newPage()

  async function fillIn(page: Page): Promise<void> {
    await page.getByLabel('User name').fill(apps.person.username)
    await page.getByLabel('Password').fill(apps.person.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  const url = (path: string) => `${apps.server.url}${path}`

  /** What a script of the page gets. */
  const ask = (page: Page, path: string, method = 'GET') =>
    page.evaluate(
      async ([to, how]) => {
        const response = await fetch(to as string, { method: how as string })
        return { status: response.status, text: await response.text() }
      },
      [path, method],
    )

  test('at this server: deep link, scripts, forms, silent refresh, logout everywhere', async () => {
    const page = await freshPage()
    const foreign: string[] = []
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== apps.server.url) foreign.push(request.url())
    })
    await page.goto(url('/desk/reports/7?from=2026'))
    await fillIn(page)
    await page.waitForURL(url('/desk/reports/7?from=2026'))
    assert.equal(await page.locator('#user').textContent(), apps.person.username)
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script reads our cookies')
    assert.equal((await ask(page, '/desk/data')).status, 200)
    assert.equal((await ask(page, '/desk/data', 'POST')).status, 200, 'its own page may')

    // A second tab of the same browser is signed in, and both refresh once.
    const tab = await newPage()
    await tab.goto(url('/desk/second'))
    assert.equal(await tab.locator('#user').textContent(), apps.person.username)
    await apps.server.sql('UPDATE web_session SET refresh_ms = 0')
    const answers = await Promise.all(
      [page, tab].flatMap((each) => [1, 2, 3, 4].map((n) => ask(each, `/desk/${n}`))),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    let generation: unknown = 0
    while (generation === 0) {
      const [row] = await apps.server.sql('SELECT generation FROM web_session')
      generation = row?.generation
    }
    assert.equal(generation, 1)

    // An ended session: scripts read 401, the next page comes back by itself.
    await apps.server.sql('UPDATE web_session SET expires_ms = 0')
    const refused = await ask(page, '/desk/data')
    assert.equal(refused.status, 401)
    assert.ok(JSON.parse(refused.text).loginUrl.startsWith(apps.server.url))
    await page.goto(url('/desk/again?x=1'))
    await page.waitForURL(url('/desk/again?x=1'))

    await page.goto(url('/desk/.scopegate/logout'))
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.waitForURL('**/oauth/logout**')
    assert.equal((await ask(tab, '/desk/data')).status, 401, 'the other tab is out as well')
    await page
      .getByRole('button', { name: /sign out/i })
      .first()
      .click()
    await page.waitForURL(url('/desk/.scopegate/logged-out'))
    await tab.goto(url('/desk/second'))
    await tab.getByLabel('User name').waitFor()
    assert.deepEqual(foreign, [], 'nothing was loaded from elsewhere')
    await Promise.all([page.close(), tab.close()])
  })

  test('two tabs sign in at the same time, and both arrive', async () => {
    const one = await freshPage()
    const two = await newPage()
    await one.goto(url('/desk/one'))
    await two.goto(url('/desk/two'))
    await fillIn(two)
    await two.waitForURL(url('/desk/two'))
    await fillIn(one)
    await one.waitForURL(url('/desk/one'))
    assert.equal(await one.locator('#user').textContent(), apps.person.username)
    await Promise.all([one.close(), two.close()])
  })

  test('at a foreign provider: silent refresh in two tabs, expiry, logout there too', async () => {
    const page = await freshPage()
    await page.goto(url('/ward/beds?ward=7'))
    await page.locator('#lab-user-nora').click()
    await page.waitForURL(url('/ward/beds?ward=7'))
    const tab = await newPage()
    await tab.goto(url('/ward/second'))
    assert.equal(await tab.locator('#user').textContent(), 'nora')

    // Its refresh tokens rotate: one that is used twice ends them all.
    const session = async () => {
      const rows = await apps.server.sql(
        'SELECT id, generation FROM web_session ORDER BY started_ms DESC LIMIT 1',
      )
      return rows[0] ?? {}
    }
    const { id } = await session()
    for (const generation of [1, 2]) {
      await apps.server.sql('UPDATE web_session SET refresh_ms = 0 WHERE id = $1', [id])
      const answers = await Promise.all(
        [page, tab].flatMap((each) => [1, 2, 3, 4].map((n) => ask(each, `/ward/${n}`))),
      )
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      while ((await session()).generation !== generation) await page.waitForTimeout(50)
    }

    // An ended session: a script reads where to sign in, a page is led there and back.
    await apps.server.sql('UPDATE web_session SET expires_ms = 0 WHERE id = $1', [id])
    const refused = await ask(tab, '/ward/data')
    assert.equal(refused.status, 401)
    assert.ok(JSON.parse(refused.text).loginUrl.endsWith('/ward/.scopegate/login'))
    await tab.goto(url('/ward/again?x=1'))
    await tab.locator('#lab-user-nora').click()
    await tab.waitForURL(url('/ward/again?x=1'))
    assert.equal((await ask(page, '/ward/data')).status, 200, 'the first tab goes on')

    const atProvider: URL[] = []
    page.on('request', (request) => {
      const to = new URL(request.url())
      if (to.origin === apps.lab.url) atProvider.push(to)
    })
    await page.goto(url('/ward/.scopegate/logout'))
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(url('/ward/.scopegate/logged-out'))
    const [there] = atProvider
    assert.ok(there?.searchParams.get('id_token_hint'), 'the provider is told whose session it is')
    assert.equal((await ask(tab, '/ward/data')).status, 401, 'the other tab is out as well')
    await Promise.all([page.close(), tab.close()])
  })

  test('with third-party cookies blocked; and where they are allowed, no frame of another site is signed in', async () => {
    const other = apps.lab.url.replace('127.0.0.1', 'localhost')
    const inFrame = async (chosen: BrowserContext) => {
      const page = await chosen.newPage()
      await page.goto(url('/ward/'))
      await page.locator('#lab-user-nora').click()
      await page.waitForURL(url('/ward/'))
      const cookies = await chosen.cookies(url('/ward/'))
      // To show which of both this browser does: a cookie that may go anywhere, and a public page.
      apps.echo.answerHeaders.push(['set-cookie', 'anywhere=1; Path=/; SameSite=None; Secure'])
      await page.goto(url('/desk/public/page'))
      apps.echo.answerHeaders.length = 0
      const evil = await chosen.newPage()
      await evil.goto(`${other}/nothing`)
      const closed = evil.waitForResponse((response) => response.url() === url('/ward/frame'))
      const open = evil.waitForResponse((response) => response.url() === url('/desk/public/frame'))
      await evil.setContent(
        `<iframe src="${url('/ward/frame')}"></iframe><iframe src="${url('/desk/public/frame')}"></iframe>`,
      )
      await open
      const status = (await closed).status()
      const seen = apps.echo.requests.findLast((request) => request.url === '/public/frame')
      await Promise.all([page.close(), evil.close()])
      const own = cookies.find((cookie) => cookie.name === 'scopegate_web_ward')
      return { status, sent: seen?.headers.cookie, own }
    }
    await context.clearCookies()
    const blocked = await inFrame(context)
    assert.ok(blocked.own, 'signing in needs no third-party cookie')
    assert.deepEqual([blocked.status, blocked.sent], [303, undefined])
    const open = await openChromium({ thirdPartyCookies: 'allowed' })
    try {
      const allowed = await inFrame(open.context)
      assert.ok(allowed.own)
      assert.equal(allowed.sent, 'anywhere=1')
      assert.equal(allowed.status, 303, 'the cookie of the session stays on its site')
    } finally {
      await open.close()
    }
  })

  test('at a foreign provider, and a form of another site changes nothing', async () => {
    const page = await freshPage()
    await page.goto(url('/ward/beds?ward=3'))
    await page.locator('#lab-user-nora').click()
    await page.waitForURL(url('/ward/beds?ward=3'))
    assert.equal(await page.locator('#user').textContent(), 'nora')
    const cookies = await context.cookies(url('/ward/'))
    const own = cookies.find(({ name }) => name === 'scopegate_web_ward')
    assert.ok(own?.httpOnly)
    assert.equal(own?.sameSite, 'Lax')

    // Another site posts a form to the app, as somebody who is signed in.
    const reached = apps.echo.requests.length
    const evil = await newPage()
    await evil.goto(`${apps.lab.url.replace('127.0.0.1', 'localhost')}/nothing`)
    const posted = evil.waitForResponse((response) => response.url() === url('/ward/transfer'))
    await evil.setContent(
      `<form method="post" action="${url('/ward/transfer')}"><button>Win</button></form>`,
    )
    await evil.getByRole('button', { name: 'Win' }).click()
    assert.ok((await posted).status() >= 400)
    assert.equal(apps.echo.requests.length, reached, 'the app saw nothing of it')

    await page.goto(url('/ward/.scopegate/logout'))
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(url('/ward/.scopegate/logged-out'))
    await page.goto(url('/desk/public/page'))
    assert.equal((await ask(page, '/ward/data')).status, 401)
    await Promise.all([page.close(), evil.close()])
  })
})
