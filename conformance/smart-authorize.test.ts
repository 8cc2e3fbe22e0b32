import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { signOut } from './support/account.ts'
import { type Away, isAway, type Page } from './support/browser.ts'
import { authorizeInBrowser, codeOf, fillIn, walkPages } from './support/launch-app.ts'
import { APP_ORIGIN, browserOf, openSmartServer } from './support/open-smart-server.ts'

// Statements 1 … 20 of the security checklist: the authorization endpoint and its pages.
const SCOPE =
  'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const app = await server.app({ scopes: SCOPE })
const evil = await server.app({ scopes: SCOPE })

const open = (url: string) => browserOf(server).open(url)

function pageOf(result: Page | Away): Page {
  assert.ok(!isAway(result), 'no redirect')
  assert.ok(result.status >= 400 && result.status < 500, `status ${result.status}`)
  assert.match(result.headers.get('content-type') ?? '', /^text\/html/)
  return result
}

function awayOf(result: Page | Away): URL {
  assert.ok(isAway(result), isAway(result) ? '' : result.text)
  return result.away
}

/** The first page of a launch: the sign-in. */
async function signInPage(browser = browserOf(server), by = app) {
  const page = await browser.open(by.authorize({ scope: SCOPE }).url)
  assert.ok(!isAway(page))
  return { browser, page, form: formWith(page, 'password') }
}

function formWith(page: Page, field: string) {
  const form = page.forms.find(({ fields }) => fields.some(({ name }) => name === field))
  assert.ok(form, `the page has a form with \`${field}\``)
  return form
}

describe('1 a redirect URI is compared by exact string', () => {
  const registered = new URL(app.redirectUri)
  const cases = {
    'another case': app.redirectUri.replace('callback', 'Callback'),
    'a longer path': `${app.redirectUri}/more`,
    'a trailing slash': `${app.redirectUri}/`,
    'a query': `${app.redirectUri}?x=1`,
    'a fragment': `${app.redirectUri}#x`,
    'an encoded character': app.redirectUri.replace('callback', 'c%61llback'),
    'a path that leads back': app.redirectUri.replace('/callback', '/x/../callback'),
    'another host': app.redirectUri.replace(registered.hostname, 'localhost'),
    'a user in front of the host': app.redirectUri.replace('//', '//user@'),
    'another scheme': app.redirectUri.replace('http:', 'https:'),
    'that of another client': evil.redirectUri,
    'a foreign one': 'https://evil.example/callback',
    'a script': 'javascript:alert(1)',
  }
  for (const [name, redirect_uri] of Object.entries(cases)) {
    test(`${name}: a page, no redirect`, async () => {
      pageOf(await open(app.authorize({ scope: SCOPE, set: { redirect_uri } }).url))
    })
  }
})

describe('2, 3 no redirect to an address that is not verified', () => {
  const cases = {
    'an unknown client': { client_id: 'nobody' },
    'no client': { client_id: undefined },
    'no redirect URI, although one is registered': { redirect_uri: undefined },
    'a wrong response type and a foreign redirect URI': {
      response_type: 'token',
      redirect_uri: 'https://evil.example/',
    },
  }
  for (const [name, set] of Object.entries(cases)) {
    test(`${name}: a page`, async () => {
      const page = pageOf(await open(app.authorize({ scope: SCOPE, set }).url))
      assert.ok(!page.links.some(({ href }) => new URL(href).host !== new URL(server.url).host))
    })
  }
})

describe('4 only codes come out of the front channel', () => {
  for (const response_type of ['token', 'id_token', 'code id_token', 'code token', 'none']) {
    test(`response_type ${response_type}`, async () => {
      const url = awayOf(await open(app.authorize({ scope: SCOPE, set: { response_type } }).url))
      const params = new URLSearchParams(`${url.search.slice(1)}&${url.hash.slice(1)}`)
      assert.equal(params.get('error'), 'unsupported_response_type')
      for (const secret of ['code', 'access_token', 'id_token']) {
        assert.equal(params.get(secret), null)
      }
    })
  }

  test('response_mode cannot change how it comes', async () => {
    for (const response_mode of ['fragment', 'web_message', 'jwt']) {
      const result = await open(app.authorize({ scope: SCOPE, set: { response_mode } }).url)
      if (!isAway(result)) continue
      assert.equal(result.away.searchParams.get('code'), null, response_mode)
    }
  })
})

describe('7 iss is in every authorization response, 8 state is echoed as it came', () => {
  const states = ['plain', 'ä €&=+%20 "<x>"', '%%', `${'x'.repeat(1000)}`]
  for (const state of states) {
    test(`success and error, state \`${state.slice(0, 20)}\``, async () => {
      const browser = browserOf(server)
      const request = app.authorize({ scope: SCOPE, set: { state } })
      const { away } = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
      const wrong = app.authorize({ scope: SCOPE, set: { state, response_type: 'token' } })
      const failed = awayOf(await open(wrong.url))
      const answers = [
        away.searchParams,
        new URLSearchParams(failed.search || failed.hash.slice(1)),
      ]
      for (const params of answers) {
        assert.equal(params.get('iss'), server.url)
        assert.equal(params.get('state'), state)
      }
    })
  }

  test('a refusal by the user has both', async () => {
    const request = app.authorize({ scope: SCOPE })
    const { away } = await authorizeInBrowser(browserOf(server), request, person, {
      patient: 'patient-1',
      consent: 'deny',
    })
    assert.equal(away.searchParams.get('error'), 'access_denied')
    assert.equal(away.searchParams.get('iss'), server.url)
    assert.equal(away.searchParams.get('state'), request.state)
    assert.equal(away.searchParams.get('code'), null)
  })

  test('an absent state is not invented', async () => {
    const request = app.authorize({ scope: SCOPE, set: { state: undefined } })
    const { away } = await authorizeInBrowser(browserOf(server), request, person, {
      patient: 'patient-1',
    })
    assert.ok(away.searchParams.get('code'))
    assert.equal(away.searchParams.has('state'), false)
  })
})

describe('11 a patient that the user may not see cannot be chosen', () => {
  test('whatever the form posts', async () => {
    const patientUser = await server.user({ fhirUser: 'Patient/patient-1' })
    const browser = browserOf(server)
    const first = await browser.open(app.authorize({ scope: SCOPE }).url)
    assert.ok(!isAway(first))
    let page = await fillIn(browser, first, patientUser, {})
    for (const forged of ['patient-2', '../patient-2', 'nobody']) {
      assert.ok(!isAway(page))
      const base = page.url.replace(/\/(patients?|consent|login)?$/, '')
      const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? ''
      page = await browser.open(`${base}/patient`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: server.url,
        },
        body: new URLSearchParams({ csrf, patient: forged }).toString(),
      })
      if (isAway(page)) {
        assert.equal(page.away.searchParams.get('code'), null)
        return
      }
      assert.ok(!page.text.includes('patient-2'))
      page = await browser.open(app.authorize({ scope: SCOPE }).url)
    }
    const away = await walkPages(browser, page, patientUser, { patient: 'patient-1' })
    const params = away.away.searchParams
    assert.ok(params.get('code'), 'their own record can be shared')
  })
})

describe('12 a parameter that comes twice is refused', () => {
  for (const name of ['scope', 'state', 'aud', 'code_challenge', 'launch', 'redirect_uri']) {
    test(name, async () => {
      const { params, url } = app.authorize({ scope: SCOPE, launch: 'x' })
      const twice = `${url}&${new URLSearchParams({ [name]: params.get(name) ?? 'x' })}`
      const result = await open(twice)
      if (isAway(result)) {
        assert.equal(result.away.searchParams.get('error'), 'invalid_request')
      } else {
        pageOf(result)
      }
    })
  }
})

describe('14 pages cannot be framed, load nothing foreign, and send no referrer', () => {
  test('a page that submits itself runs that script and no other', async () => {
    const response = await fetch(`${server.url}/oauth/device/code?user_code=BCDF-GHJK`)
    const csp = response.headers.get('content-security-policy') ?? ''
    assert.match(csp, /default-src 'none'/)
    assert.match(csp, /frame-ancestors 'none'/)
    assert.equal(response.headers.get('x-frame-options'), 'DENY')
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(await response.text()) ?? []
    const digest = createHash('sha256').update(script).digest('base64')
    assert.ok(script === '' || csp.includes(`'sha256-${digest}'`), csp)
    assert.doesNotMatch(csp, /unsafe-|\*/)
  })

  test('sign-in, error page, account', async () => {
    const { page } = await signInPage()
    const failed = pageOf(await open(app.authorize({ scope: SCOPE, set: { client_id: 'x' } }).url))
    const account = await browserOf(server).open(`${server.url}/account/login`)
    assert.ok(!isAway(account))
    for (const each of [page, failed, account]) {
      const csp = each.headers.get('content-security-policy') ?? ''
      assert.match(csp, /frame-ancestors 'none'/)
      assert.match(csp, /default-src 'none'/)
      assert.doesNotMatch(csp, /unsafe-|\*/)
      assert.equal(each.headers.get('x-frame-options'), 'DENY')
      assert.equal(each.headers.get('referrer-policy'), 'no-referrer')
      assert.equal(each.headers.get('x-content-type-options'), 'nosniff')
      assert.match(each.headers.get('cache-control') ?? '', /no-store/)
      for (const [, address = ''] of each.html.matchAll(/(?:src|href|action)="([^"]*)"/g)) {
        if (address === '' || address.startsWith('data:') || address.startsWith('#')) continue
        assert.equal(new URL(address, each.url).origin, server.url, address)
      }
    }
  })
})

describe('15 after a POST the browser is led on by 303', () => {
  test('on the whole way, and POST authorize too', async () => {
    const browser = browserOf(server)
    const request = app.authorize({ scope: SCOPE })
    await authorizeInBrowser(browser, request, person, { patient: 'patient-1', byPost: true })
    const redirects = browser.seen.filter(
      ({ method, response }) =>
        method === 'POST' && response.status >= 300 && response.status < 400,
    )
    assert.ok(redirects.length > 0)
    for (const { response } of redirects) assert.ok([302, 303].includes(response.status))
    assert.ok(browser.seen.every(({ response }) => ![307, 308].includes(response.status)))
  })
})

describe('16 an interaction belongs to its browser', () => {
  test('another browser cannot look at it, go on with it, or finish it', async () => {
    const { page, form } = await signInPage()
    const thief = browserOf(server)
    const stolen = await thief.open(page.url)
    assert.ok(!isAway(stolen) && stolen.status >= 400, 'not even shown')
    const posted = await thief.submit(form, {
      username: person.username,
      password: person.password,
    })
    assert.ok(!isAway(posted) && posted.status >= 400)
    assert.equal(thief.cookies.list().filter(({ name }) => name.includes('session')).length, 0)
  })

  test('the sign-in form takes its token only: no login CSRF', async () => {
    const { browser, form } = await signInPage()
    const mallory = await server.user()
    const { form: attackers } = await signInPage()
    const values = { username: mallory.username, password: mallory.password }
    const tokenOf = (of: typeof form) => of.fields.find(({ name }) => name === 'csrf')?.value
    for (const csrf of [undefined, '', 'x', tokenOf(attackers)]) {
      const result = await browser.submit(form, { ...values, csrf })
      assert.ok(!isAway(result))
      assert.ok(result.status >= 400, `csrf ${csrf === undefined ? 'missing' : 'wrong'}`)
      assert.ok(!browser.cookies.list().some(({ name }) => /scopegate_session$/.test(name)))
    }
  })

  test('a form sent from another origin is refused', async () => {
    const { browser, form } = await signInPage()
    const body = new URLSearchParams({ username: person.username, password: person.password })
    for (const { name, value } of form.fields) if (name === 'csrf') body.set(name, value)
    const result = await browser.open(form.action, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://evil.example',
        'sec-fetch-site': 'cross-site',
      },
      body: body.toString(),
    })
    assert.ok(!isAway(result) && result.status >= 400)
  })
})

describe('17 the session begins at the sign-in, and ends at the sign-out', () => {
  test('a session planted before the sign-in is not the one after it', async () => {
    const browser = browserOf(server)
    browser.cookies.set('scopegate_session', 'planted-by-somebody-else')
    const request = app.authorize({ scope: SCOPE })
    await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
    const session = browser.cookies.list().find(({ name }) => name === 'scopegate_session')
    assert.ok(session)
    assert.notEqual(session.value, 'planted-by-somebody-else')
    assert.ok(session.attributes.has('httponly'))
    assert.match(session.attributes.get('samesite') ?? '', /^(lax|strict)$/i)
    assert.equal(session.path, '/')
    for (const cookie of browser.cookies.list())
      assert.ok(cookie.attributes.has('httponly'), cookie.name)
  })

  test('signing in again gives another session, and ends the one before', async () => {
    const browser = browserOf(server)
    await authorizeInBrowser(browser, app.authorize({ scope: SCOPE }), person, {
      patient: 'patient-1',
    })
    const before = browser.cookies.list().find(({ name }) => name === 'scopegate_session')
    const again = app.authorize({ scope: SCOPE, set: { prompt: 'login' } })
    await authorizeInBrowser(browser, again, person, { patient: 'patient-1' })
    const now = browser.cookies.list().find(({ name }) => name === 'scopegate_session')
    assert.ok(before && now && before.value !== now.value)
    const thief = browserOf(server)
    thief.cookies.set('scopegate_session', before.value)
    const { page } = await signInPage(thief)
    assert.ok(formWith(page, 'password'))
  })

  test('after the sign-out the cookie opens nothing', async () => {
    const browser = browserOf(server)
    await authorizeInBrowser(browser, app.authorize({ scope: SCOPE }), person, {
      patient: 'patient-1',
    })
    const kept = browser.cookies.list().map(({ name, value, path }) => ({ name, value, path }))
    await signOut(browser, server.url)
    const thief = browserOf(server)
    for (const { name, value, path } of kept) thief.cookies.set(name, value, path)
    const { page } = await signInPage(thief)
    assert.ok(formWith(page, 'password'), 'asked to sign in')
  })
})

describe('18 the consent says who asks for what', () => {
  test('app, patient, every scope, and lasting access', async () => {
    const browser = browserOf(server)
    const first = await browser.open(app.authorize({ scope: SCOPE }).url)
    assert.ok(!isAway(first))
    const picker = await fillIn(browser, first, person, {})
    assert.ok(!isAway(picker))
    const consent = await fillIn(browser, picker, person, { patient: 'patient-1' })
    assert.ok(!isAway(consent))
    const { name } = await server.admin<{ name: string }>('GET', `/clients/${app.clientId}`)
    assert.ok(consent.text.includes(name), 'the name of the app')
    const patient = (await (
      await server.fhir((await system()).access_token, 'Patient/patient-1')
    ).json()) as { name: { family: string }[] }
    assert.ok(consent.text.includes(patient.name[0]!.family), 'the patient')
    assert.match(consent.text, /observation|result|measurement/i)
    assert.doesNotMatch(consent.text, /patient\/Observation\.rs(?! )/)
  })
})

describe('20 prompt=none shows nothing and grants nothing new', () => {
  test('without a session: login_required', async () => {
    const url = awayOf(await open(app.authorize({ scope: SCOPE, set: { prompt: 'none' } }).url))
    assert.match(url.searchParams.get('error') ?? '', /_required$/)
    assert.equal(url.searchParams.get('code'), null)
  })

  test('with a session, and nothing remembered: refused too', async () => {
    const browser = browserOf(server)
    await authorizeInBrowser(browser, app.authorize({ scope: SCOPE }), person, {
      patient: 'patient-1',
    })
    const result = await browser.open(app.authorize({ scope: SCOPE, set: { prompt: 'none' } }).url)
    const url = awayOf(result)
    assert.match(url.searchParams.get('error') ?? '', /_required$/)
    assert.equal(url.searchParams.get('code'), null)
  })
})

describe('the claims parameter names no identity', () => {
  test('neither sub nor fhirUser can be asked for as somebody else', async () => {
    const claims = JSON.stringify({
      id_token: {
        sub: { value: 'u_somebody_else' },
        fhirUser: { value: 'Practitioner/pract-3' },
      },
    })
    const request = app.authorize({ scope: SCOPE, set: { claims } })
    const browser = browserOf(server)
    const result = await browser.open(request.url)
    const away = isAway(result)
      ? result
      : await walkPages(browser, result, person, { patient: 'patient-1' }).catch(() => undefined)
    const code = away?.away.searchParams.get('code')
    if (!code) return
    const { json } = await app.exchange(code, request)
    const token = JSON.parse(
      Buffer.from(json.id_token?.split('.')[1] ?? '', 'base64url').toString(),
    )
    assert.equal(token.sub, person.id)
    assert.match(token.fhirUser, /pract-1$/)
  })

  test('nor can a login_hint or an id_token_hint sign anybody in', async () => {
    for (const set of [
      { login_hint: person.username },
      { prompt: 'none', login_hint: person.id },
    ]) {
      const result = await open(app.authorize({ scope: SCOPE, set }).url)
      if (isAway(result)) assert.equal(result.away.searchParams.get('code'), null)
      else assert.ok(formWith(result, 'password'))
    }
  })
})

describe('code injection and mix-up', () => {
  test('a code of another launch of the same app fails on its verifier', async () => {
    const victim = app.authorize({ scope: SCOPE })
    const away = await authorizeInBrowser(browserOf(server), victim, person, {
      patient: 'patient-1',
    })
    const attackers = app.authorize({ scope: SCOPE })
    const { status, json } = await app.exchange(codeOf(away, victim), attackers)
    assert.equal(status, 400)
    assert.equal(json.error, 'invalid_grant')
  })
})

describe('70 what is echoed is escaped, and says nothing of the inside', () => {
  test('error pages', async () => {
    const marked = '"><script>alert(1)</script>'
    for (const set of [{ client_id: marked }, { redirect_uri: `${APP_ORIGIN}/${marked}` }]) {
      const page = pageOf(await open(app.authorize({ scope: SCOPE, set }).url))
      assert.ok(!page.html.includes('<script>alert'))
      assert.doesNotMatch(page.text, / at .*\.(ts|js):\d+|SELECT |node_modules/)
    }
  })
})

let systemClient: Awaited<ReturnType<typeof server.app>> | undefined
async function system() {
  systemClient ??= await server.app({
    scopes: 'system/*.rs',
    as: 'secret',
    grants: ['client_credentials'],
  })
  return (await systemClient.clientCredentials('system/*.rs')).json
}
