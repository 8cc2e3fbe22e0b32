import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Browser, isAway } from './support/browser.ts'
import { send } from './support/navigate.ts'
import { openWebApps } from './support/open-web-app.ts'
import { openWebSocket } from './support/web-socket.ts'

// What others may try against people who are signed in to a web app (S41–S43).
const apps = await openWebApps()
const { server, echo, lab } = apps
after(() => apps.close())

const DESK = 'scopegate_web_desk'
const WARD = 'scopegate_web_ward'

function cookieOf(browser: Browser, name: string): string {
  const found = browser.cookies.list().find((cookie) => cookie.name === name)
  assert.ok(found, `no cookie ${name}`)
  return found.value
}

const withCookie = (path: string, cookie: string, headers: Record<string, string> = {}) =>
  send(`${server.url}${path}`, { accept: 'application/json', cookie, ...headers })

describe('the cookie of a session', () => {
  test('is for this host alone, and nothing of it can be guessed from another', async () => {
    const browser = apps.browser()
    await apps.signInAtLab(browser, '/ward/')
    const cookie = browser.cookies.list().find(({ name }) => name === WARD)
    assert.match(cookie?.value ?? '', /^[A-Za-z0-9_-]{43}$/)
    assert.ok(cookie?.attributes.has('httponly'))
    assert.equal(cookie?.attributes.get('samesite'), 'Lax')
    assert.equal(cookie?.attributes.get('path'), '/ward')
    assert.equal(cookie?.attributes.has('domain'), false)
    assert.equal(cookie?.attributes.has('secure'), false, 'http on loopback')
    assert.ok(!browser.cookies.list().some(({ name }) => name.startsWith('scopegate_login_')))
  })

  test('altered, cut or made up opens nothing, and breaks nothing', async () => {
    const browser = apps.browser()
    await apps.signInAtLab(browser, '/ward/')
    const good = cookieOf(browser, WARD)
    assert.equal((await withCookie('/ward/x', `${WARD}=${good}`)).status, 200)
    const altered = [...good].map(
      (letter, at) => good.slice(0, at) + (letter === 'A' ? 'B' : 'A') + good.slice(at + 1),
    )
    const others = [
      '',
      'x',
      good.slice(0, -1),
      `${good}A`,
      'A'.repeat(8000),
      '%00',
      '"',
      `"${good}"`,
    ]
    for (const value of [...altered, ...others]) {
      const { status } = await withCookie('/ward/x', `${WARD}=${value}`)
      assert.equal(status, 401, value.slice(0, 60))
    }
    const twice = await withCookie('/ward/x', `${WARD}=${altered[0]}; ${WARD}=${good}`)
    assert.equal(twice.status, 401, 'two of one name: one is of somebody else')
  })

  test('of one app opens no other', async () => {
    const browser = apps.browser()
    await apps.signInAtLab(browser, '/ward/')
    const value = cookieOf(browser, WARD)
    assert.equal((await withCookie('/desk/x', `${DESK}=${value}`)).status, 401)
  })

  test('is worth nothing when the key that sealed its tokens is gone', async () => {
    const browser = apps.browser()
    await apps.signInAtLab(browser, '/ward/')
    const cookie = `${WARD}=${cookieOf(browser, WARD)}`
    await server.sql(`UPDATE web_session SET sealed = 'v1.gonegone.' || substr(sealed, 13)`)
    assert.equal((await withCookie('/ward/x', cookie)).status, 401)
  })

  test('is another one after a sign-in: what was planted before opens nothing', async () => {
    const attacker = apps.browser()
    await apps.signInAtLab(attacker, '/ward/', 'paul')
    const planted = cookieOf(attacker, WARD)
    const victim = apps.browser()
    victim.cookies.set(WARD, planted, '/ward')
    const begun = await victim.open(`${server.url}/ward/.scopegate/login`)
    assert.ok(isAway(begun))
    const answer = await fetch(`${begun.away.href}&lab_user=nora`, { redirect: 'manual' })
    await victim.open(answer.headers.get('location') ?? '')
    assert.notEqual(cookieOf(victim, WARD), planted)
    assert.equal((await withCookie('/ward/x', `${WARD}=${planted}`)).status, 401)
  })

  test('and what it stands for are stored as hash and sealed text', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const value = cookieOf(browser, DESK)
    const rows = JSON.stringify(await server.sql('SELECT w::text FROM web_session w'))
    assert.ok(!rows.includes(value))
    // Sealed text has these letters by chance, but no dot between them.
    assert.doesNotMatch(rows, /eyJ[\w-]+\.eyJ/, 'no token')
    assert.ok(!rows.includes(apps.person.username), 'no claims')
    assert.doesNotMatch(server.log.join(''), /eyJ[\w-]+\.eyJ/)
    assert.ok(!server.log.join('').includes(value))
  })
})

describe('a sign-in', () => {
  test('that another browser began is not finished (login CSRF)', async () => {
    const attacker = apps.browser()
    const begun = await attacker.open(`${server.url}/ward/`)
    assert.ok(isAway(begun))
    const answer = await fetch(`${begun.away.href}&lab_user=paul`, { redirect: 'manual' })
    const victim = apps.browser()
    const page = await victim.open(answer.headers.get('location') ?? '')
    assert.ok(!isAway(page))
    assert.equal(page.status, 400)
    assert.equal(victim.cookies.list().length, 0)
    assert.ok(page.links.some(({ href }) => href.includes('/ward/.scopegate/login')))
  })

  test('takes no code of another sign-in, and works once', async () => {
    const codeOf = async (browser: Browser, user: string) => {
      const begun = await browser.open(`${server.url}/ward/`)
      assert.ok(isAway(begun))
      const answer = await fetch(`${begun.away.href}&lab_user=${user}`, { redirect: 'manual' })
      return new URL(answer.headers.get('location') ?? '')
    }
    const attacker = await codeOf(apps.browser(), 'paul')
    const victim = apps.browser()
    const own = await codeOf(victim, 'nora')
    const mixed = new URL(own)
    mixed.searchParams.set('code', attacker.searchParams.get('code') ?? '')
    const cookies = victim.cookies.header(mixed.href) ?? ''
    const page = await victim.open(mixed.href)
    assert.ok(!isAway(page) && page.status >= 400)
    assert.ok(!victim.cookies.list().some(({ name }) => name === WARD))
    const again = await send(own.href, { cookie: cookies })
    assert.equal(again.status, 400, 'the state was used')
  })

  test('whose answer is wrong in any way ends on a page, with no session', async () => {
    for (const fault of [
      'wrong_nonce',
      'forged',
      'denied',
      'token_down',
      'swapped_state',
    ] as const) {
      const browser = apps.browser()
      const begun = await browser.open(`${server.url}/ward/`)
      assert.ok(isAway(begun))
      lab.faults.add(fault)
      const answer = await fetch(`${begun.away.href}&lab_user=nora`, { redirect: 'manual' })
      const page = await browser
        .open(answer.headers.get('location') ?? '')
        .finally(() => lab.faults.clear())
      assert.ok(!isAway(page))
      assert.ok(page.status >= 400, `${fault}: ${page.status}`)
      assert.match(page.html, /could not be signed in/)
      assert.ok(!browser.cookies.list().some(({ name }) => name === WARD), fault)
    }
  })

  test('leads to pages of the app and nowhere else, in a hundred spellings', async () => {
    const origins: string[] = []
    for (const target of openRedirects(new URL(server.url).host)) {
      const browser = apps.browser()
      const begun = await browser.open(
        `${server.url}/ward/.scopegate/login?return_to=${encodeURIComponent(target)}`,
      )
      assert.ok(isAway(begun))
      const answer = await fetch(`${begun.away.href}&lab_user=nora`, { redirect: 'manual' })
      const callback = answer.headers.get('location') ?? ''
      const cookie = browser.cookies.header(callback) ?? ''
      const { headers } = await send(callback, { cookie })
      const location = headers.get('location') ?? ''
      // As a browser reads it, from the address it stands at.
      const { origin, pathname } = new URL(location, callback)
      assert.equal(origin, server.url, `${target} → ${location}`)
      assert.ok(pathname.startsWith('/ward/'), `${target} → ${location}`)
      origins.push(origin)
    }
    assert.ok(origins.length >= 100, String(origins.length))
  })
})

describe('requests that a page of another site causes', () => {
  test('change nothing: they never reach the app', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const before = echo.requests.length
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: server.url.replace('127.0.0.1', '127.0.0.1.evil.example') },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { origin: '', 'sec-fetch-site': 'cross-site' },
      { origin: '', 'sec-fetch-site': 'same-site' },
      { origin: '' },
    ]) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await apps.script(browser, '/desk/transfer', { method, headers })
        assert.equal(answer.status, 403, JSON.stringify({ headers, method }))
        assert.equal(((await answer.json()) as { code: string }).code, 'session_cross_site')
      }
    }
    assert.equal(echo.requests.length, before)
    const own = await apps.script(browser, '/desk/transfer', { method: 'POST', body: 'a=1' })
    assert.equal(own.status, 200)
    const form = await apps.script(browser, '/desk/transfer', {
      method: 'POST',
      headers: { origin: 'null', 'sec-fetch-site': 'same-origin' },
    })
    assert.equal(form.status, 200, 'a page without referrer sends no origin, to itself either')
  })

  test('open no WebSocket and sign nobody out', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const cookie = browser.cookies.header(`${server.url}/desk/ws`) ?? ''
    const foreign = await openWebSocket(`${server.url}/desk/ws`, {
      cookie,
      origin: 'https://evil.example',
    })
    assert.equal(foreign.status, 403)
    const logout = await apps.script(browser, '/desk/.scopegate/logout', {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
    })
    assert.equal(logout.status, 403)
    assert.equal((await apps.script(browser, '/desk/x')).status, 200)
  })
})

describe('what would pass for somebody else', () => {
  test('identity headers and cookies of ours never reach the app as they were sent', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    const cookie = `${browser.cookies.header(`${server.url}/desk/x`)}; theme=dark; __Host-scopegate_session=x; scopegate_web_ward=y`
    const answer = await apps.script(browser, '/desk/x', {
      headers: { cookie, 'X-User': 'root', X_User: 'root', 'x-scopes': 'desk.admin' },
    })
    assert.equal(answer.status, 200)
    const reached = echo.requests.at(-1)
    assert.equal(reached?.headers['x-user'], apps.person.username)
    assert.equal(reached?.headers.x_user, undefined)
    assert.doesNotMatch(String(reached?.headers['x-scopes']), /admin/)
    assert.equal(reached?.headers.cookie, 'theme=dark')
  })

  test('an app sets cookies of its own, and none of ours', async () => {
    const browser = apps.browser()
    await apps.signIn(browser, '/desk/')
    for (const value of [
      'theme=dark; Path=/desk',
      `${DESK}=stolen; Path=/desk`,
      '__Host-scopegate_web_desk=stolen; Path=/; Secure',
      `=${DESK}=stolen; Path=/desk`,
      'scopegate_session=; Max-Age=0; Path=/',
    ]) {
      echo.answerHeaders.push(['set-cookie', value])
    }
    const answer = await apps.script(browser, '/desk/x')
    echo.answerHeaders.length = 0
    assert.deepEqual(answer.headers.getSetCookie(), ['theme=dark; Path=/desk'])
  })
})

/** Ways in which something that looks like a path leads elsewhere in some browser. */
function openRedirects(host: string): readonly string[] {
  const evil = 'evil.example'
  const starts = [
    '//',
    '///',
    '////',
    '/\\',
    '\\\\',
    '\\/',
    '/\t/',
    '/\n/',
    '\t//',
    ' //',
    '/ /',
    '/%09/',
    '/%5c',
    '/%2f',
    '/.//',
    '/..//',
    '/./\\',
    '/ward//../../',
    '/ward/..//',
    '/;@',
    '/ward/\\..\\..\\',
    '//%0d%0a',
  ]
  const schemes = [
    'https://',
    'http://',
    'HTTPS://',
    'https:',
    'https:/',
    'https:///',
    'http:\\\\',
    'javascript:alert(1)//',
    'data:text/html,',
    'vbscript:',
    'ftp://',
    'file://',
    'java\tscript:',
    ' https://',
    '\u0000https://',
    'blob:https://',
    'view-source:https://',
  ]
  const userInfo = [
    `//${host}@${evil}`,
    `https://${host}@${evil}`,
    `//${host}:80@${evil}/`,
    `/ward@${evil}`,
    `//ward%40${evil}`,
    `https://${host}.${evil}`,
    `//${host}%2f@${evil}`,
    `/ward/@${evil}/..//${evil}`,
  ]
  const names = [
    'evil。example',
    'evil％2eexample',
    'ｅｖｉｌ.example',
    'xn--evl-hpa.example',
    '0x7f000002',
    '2130706434',
    '[::ffff:127.0.0.2]',
    '127.0.0.2',
    'evil.example%00.ward',
    'evil.example#.ward',
    'evil.example?.ward',
    'evil.example\\.ward',
  ]
  const elsewhere = [
    '/',
    '',
    '/desk/',
    '/oauth/authorize',
    '/account',
    '/wardrobe/',
    '/ward/../desk/',
    '/ward/%2e%2e/desk/',
    '/ward/./../account',
    '/ward/.scopegate/logout',
    '/ward/.scopegate/callback?code=1',
    '/ward/\r\nSet-Cookie:x=1',
    '/ward/\u2028x',
    `/ward/${'a'.repeat(5000)}`,
    '?//evil.example',
    '#//evil.example',
    'evil.example',
    './/evil.example',
    '../evil.example',
    '.evil.example',
  ]
  return [
    ...starts.map((start) => `${start}${evil}/ward/`),
    ...schemes.map((scheme) => `${scheme}${evil}/ward/`),
    ...userInfo,
    ...names.flatMap((name) => [`//${name}/ward/`, `https://${name}/ward/`, `/\\${name}/ward/`]),
    ...elsewhere,
  ]
}
