import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type Browser, isAway } from './support/browser.ts'
import { send } from './support/navigate.ts'
import { openWebApps } from './support/open-web-app.ts'
import { openWebSocket } from './support/web-socket.ts'

// How sessions of web apps live and end, in one process and in another of the same installation (S9, S45).
const apps = await openWebApps()
const { server, lab } = apps
const sibling = await server.sibling()
after(async () => {
  await sibling.close()
  await apps.close()
})

/** Until `found` gives something; the tests' own time limit ends it. */
async function until<Found>(found: () => Promise<Found | undefined | false>): Promise<Found> {
  for (;;) {
    const value = await found()
    if (value) return value
    await wait(25)
  }
}

/** What a script of the app gets, of this process or the other. */
function ask(browser: Browser, path: string, at: string = server.url) {
  const cookie = browser.cookies.header(`${server.url}${path}`) ?? ''
  return send(`${at}${path}`, { accept: 'application/json', cookie })
}

const rowOf = async () =>
  (await server.sql('SELECT * FROM web_session ORDER BY started_ms DESC LIMIT 1'))[0] ?? {}
const issued = () => server.log.filter((line) => line.includes('token issued')).length

describe('tokens of a session', { timeout: 300_000 }, () => {
  test('are refreshed ahead of their end, once, whoever asks', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const { id } = await rowOf()
    const before = issued()
    await server.sql('UPDATE web_session SET refresh_ms = 0 WHERE id = $1', [id])
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, n) =>
        ask(browser, `/desk/${n}`, n % 2 === 0 ? server.url : sibling.listenUrl),
      ),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    const row = await until(async () => {
      const now = await rowOf()
      return now.refresh_ms !== 0 && now
    })
    assert.equal(row.id, id, 'the session stays the same')
    assert.equal(row.generation, 1)
    assert.equal(issued() - before, 1)
    assert.equal((await ask(browser, '/desk/x')).status, 200)
  })

  test('that the issuer takes back end the session: a script reads 401, a page signs in', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const { id } = await rowOf()
    await server.sql(`UPDATE smart_grant_context SET revoked_at = now(), revoked_reason = 'test'`)
    await server.sql('UPDATE web_session SET refresh_ms = 0 WHERE id = $1', [id])
    await until(async () => (await ask(browser, '/desk/x')).status === 401)
    const page = await browser.open(`${server.url}/desk/reports?x=1`)
    assert.ok(!isAway(page))
    assert.equal(page.url, `${server.url}/desk/reports?x=1`, 'still signed in at the issuer')
    assert.equal(page.status, 200)
  })
})

describe('a session ends', { timeout: 300_000 }, () => {
  test('when nobody used it for long, and after its longest time', async () => {
    for (const change of [
      'seen_ms = seen_ms - 31 * 60000',
      'expires_ms = expires_ms - 12 * 3600000',
    ]) {
      const browser = apps.browser()
      await apps.signInAtLab(browser, '/ward/')
      const { id } = await rowOf()
      await server.sql(`UPDATE web_session SET seen_ms = seen_ms - 29 * 60000 WHERE id = $1`, [id])
      assert.equal((await ask(browser, '/ward/x')).status, 200, 'which is a use again')
      await server.sql(`UPDATE web_session SET ${change} WHERE id = $1`, [id])
      assert.equal((await ask(browser, '/ward/x')).status, 401, change)
    }
  })

  test('at logout, here and at the issuer, and its cookie never works again', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const cookie = browser.cookies.header(`${server.url}/desk/x`) ?? ''
    const asking = await browser.open(`${server.url}/desk/.scopegate/logout`)
    assert.ok(!isAway(asking))
    const [form] = asking.forms
    assert.ok(form)
    const issuer = await browser.submit(form)
    assert.ok(!isAway(issuer))
    assert.equal(new URL(issuer.url).pathname, '/oauth/logout', 'the issuer asks too')
    const replay = await send(`${server.url}/desk/x`, { accept: 'application/json', cookie })
    assert.equal(replay.status, 401)
    const button = issuer.forms[0]?.buttons[0]
    const done = await browser.submit(issuer.forms[0]!, {}, button)
    assert.ok(!isAway(done))
    assert.equal(new URL(done.url).pathname, '/desk/.scopegate/logged-out', done.html)
    const again = await browser.open(`${server.url}/desk/`)
    assert.ok(!isAway(again))
    assert.ok(again.forms.some(({ fields }) => fields.some(({ name }) => name === 'password')))
  })

  test('at logout by a script, which learns where the provider ends its own', async () => {
    const browser = apps.browser()
    await apps.signInAtLab(browser, '/ward/')
    const answer = await apps.script(browser, '/ward/.scopegate/logout', { method: 'POST' })
    const { logoutUrl } = (await answer.json()) as { logoutUrl: string }
    const there = new URL(logoutUrl)
    assert.equal(there.origin, lab.url)
    assert.ok(there.searchParams.get('id_token_hint'))
    assert.equal(
      there.searchParams.get('post_logout_redirect_uri'),
      `${server.url}/ward/.scopegate/logged-out`,
    )
    assert.equal((await ask(browser, '/ward/x')).status, 401)
  })

  test('with that at the issuer, with all that it holds open, in every process', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const headers = {
      cookie: browser.cookies.header(`${server.url}/desk/x`) ?? '',
      origin: server.url,
    }
    const open = [
      await openWebSocket(`${server.url}/desk/ws`, headers),
      await openWebSocket(`${sibling.listenUrl}/desk/ws`, headers),
    ]
    assert.deepEqual(
      open.map(({ status }) => status),
      [101, 101],
    )
    const streams = [
      await openStream(`${server.url}/desk/events`, headers),
      await openStream(`${sibling.listenUrl}/desk/events`, headers),
    ]
    // Signing out of the account page is no request of the app.
    const account = await browser.open(`${server.url}/account`)
    assert.ok(!isAway(account))
    const out = account.forms.find(({ action }) => action.endsWith('/account/logout'))
    assert.ok(out, account.html)
    await browser.submit(out)
    await Promise.all([...open, ...streams].map(({ closed }) => closed))
    assert.equal((await ask(browser, '/desk/x', sibling.listenUrl)).status, 401)
  })

  test('when the provider posts a logout token, of the session or of the person', async () => {
    for (const by of ['session', 'person'] as const) {
      const browser = apps.browser()
      await apps.signInAtLab(browser, '/ward/')
      const other = apps.browser()
      await apps.signInAtLab(other, '/ward/', 'paul')
      const [row] = await server.sql(
        'SELECT sid FROM web_session WHERE subject = $1 ORDER BY started_ms DESC LIMIT 1',
        [lab.subjectOf('nora', 'scopegate')],
      )
      const socket = await openWebSocket(`${sibling.listenUrl}/ward/ws`, {
        cookie: browser.cookies.header(`${server.url}/ward/x`) ?? '',
        origin: server.url,
      })
      const token = lab.mintLogoutToken({
        clientId: 'scopegate',
        ...(by === 'person' ? { userId: 'nora' } : { sessionId: String(row?.sid) }),
      })
      const post = (logout_token: string) =>
        fetch(`${server.url}/ward/.scopegate/backchannel-logout`, {
          method: 'POST',
          body: new URLSearchParams({ logout_token }),
        })
      const answer = await post(token)
      assert.equal(answer.status, 200, await answer.text())
      await socket.closed
      assert.equal((await ask(browser, '/ward/x')).status, 401)
      assert.equal((await ask(other, '/ward/x')).status, 200, 'somebody else stays')
      assert.equal((await post(token)).status, 400, 'a token works once')
      const foreign = lab.mintLogoutToken({ clientId: 'another-app', userId: 'paul' })
      assert.equal((await post(foreign)).status, 400)
      assert.equal((await post('x')).status, 400)
      assert.equal((await ask(other, '/ward/x')).status, 200)
    }
  })
})

/** A stream of events that has begun. */
function openStream(url: string, headers: Record<string, string>) {
  return new Promise<{ readonly closed: Promise<void> }>((resolve, reject) => {
    const asked = get(url, { headers: { ...headers, accept: 'text/event-stream' } }, (response) => {
      const closed = new Promise<void>((over) => response.once('close', () => over()))
      response.on('error', () => {})
      response.once('data', () => resolve({ closed }))
    })
    asked.once('error', reject)
  })
}
