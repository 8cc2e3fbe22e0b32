import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { ANA, ANAS_VISIT, BEN, HIDDEN } from '../testing/fixed-directory.ts'
import { authorizationOf, exchange, REDIRECT_URI } from '../testing/launch-app.ts'
import { createPageBrowser, type PageBrowser } from '../testing/page-browser.ts'
import { PASSWORD, type StartedWithPeople, startWithPeople } from '../testing/start-with-people.ts'

const storage = await testStorage()
let at: StartedWithPeople

before(async () => {
  at = await startWithPeople(storage)
  await at.addUser({
    username: 'ines',
    name: 'Dr. Ines',
    fhirUser: 'Practitioner/ines',
    password: PASSWORD,
  })
  await at.addUser({
    username: 'ana',
    name: 'Ana',
    fhirUser: `Patient/${ANA.id}`,
    password: PASSWORD,
  })
  await at.addUser({ username: 'mother', fhirUser: 'RelatedPerson/mother', password: PASSWORD })
})
after(() => at.close())

const SCOPES =
  'openid fhirUser launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds'

async function addApp(changes: Record<string, unknown> = {}): Promise<string> {
  const added = await at.server.clients.add({
    name: 'Growth Chart',
    public: true,
    scopes: SCOPES,
    grants: ['authorization_code', 'refresh_token'],
    redirectUris: [REDIRECT_URI],
    ...changes,
  })
  assert.ok(added.ok, JSON.stringify(added))
  return added.client.clientId
}

/** Opens the app's authorization request. */
async function begin(
  app: string,
  changes: Record<string, string | undefined> = {},
  user: PageBrowser = createPageBrowser(at.issuer),
) {
  const request = authorizationOf(at, app, {
    scope: 'openid fhirUser launch/patient patient/Observation.rs offline_access',
    ...changes,
  })
  await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
  return { user, request }
}

async function signIn(user: PageBrowser, username = 'ines', password = PASSWORD) {
  await user.press('Sign in', { username, password })
}

function answerOf(user: PageBrowser): URLSearchParams {
  const left = user.left()
  assert.ok(left, `still at: ${user.page().title} ${user.page().html}`)
  return left.searchParams
}

async function tokensOf(user: PageBrowser, request: { verifier: string }, app: string) {
  const code = answerOf(user).get('code')
  assert.ok(code, String(answerOf(user)))
  const { body } = await exchange(at.address, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: request.verifier,
    client_id: app,
  })
  return body
}

describe('a standalone launch', () => {
  test('goes from sign-in over the patient to consent, and the app gets what was allowed', async () => {
    const app = await addApp()
    const { user, request } = await begin(app)
    assert.match(user.page().title, /^Sign in/)
    await signIn(user)
    assert.match(user.page().title, /^Choose a patient/)
    await user.press('Search', { text: 'ana' })
    assert.equal(new URL(user.page().url).search, '', 'what was searched is in no address')
    assert.doesNotMatch(user.page().html, /Ben Example/)
    await user.press(ANA.name)
    assert.match(user.page().title, /Growth Chart wants access/)
    assert.match(user.page().html, /Ana María Example/)
    await user.press('Allow')
    assert.equal(answerOf(user).get('state'), 'state with ümläut & more')
    const body = await tokensOf(user, request, app)
    assert.equal(body.patient, ANA.id)
    assert.deepEqual(
      new Set(body.scope.split(' ')),
      new Set(['openid', 'fhirUser', 'launch/patient', 'patient/Observation.rs', 'offline_access']),
    )
    assert.ok(body.refresh_token)
  })

  test('pages follow one another', async () => {
    const { user } = await begin(await addApp())
    await signIn(user)
    await user.press('Next page')
    assert.match(user.page().html, /Zoe Example 20/)
    await user.press('First page')
    assert.match(user.page().html, /Ana María/)
  })

  test('narrowing to kinds grants the granular scopes, and nothing else', async () => {
    const app = await addApp()
    const { user, request } = await begin(app)
    await signIn(user)
    await user.press(ANA.name)
    const lab =
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'
    await user.press('Allow', {
      scope: ['openid', 'patient/Observation.rs'],
      'mode patient/Observation.rs': 'only',
      'kind patient/Observation.rs': [lab, 'patient/Condition.rs', 'user/*.cruds'],
    })
    const body = await tokensOf(user, request, app)
    assert.deepEqual(new Set(body.scope.split(' ')), new Set(['openid', 'launch/patient', lab]))
    assert.equal(body.refresh_token, undefined)
  })

  test('narrowing without a kind is asked again', async () => {
    const { user } = await begin(await addApp())
    await signIn(user)
    await user.press(ANA.name)
    await user.press('Allow', { 'mode patient/Observation.rs': 'only' })
    assert.equal(user.page().status, 422)
    assert.match(user.page().html, /Choose at least one kind/)
  })

  test('unticking everything is a denial', async () => {
    const { user } = await begin(await addApp())
    await signIn(user)
    await user.press(ANA.name)
    await user.press('Allow', { scope: undefined })
    assert.equal(answerOf(user).get('error'), 'access_denied')
  })

  test('a scope that was not asked for is not granted, whatever is posted', async () => {
    const app = await addApp()
    const { user, request } = await begin(app)
    await signIn(user)
    await user.press(ANA.name)
    await user.press('Allow', {
      scope: ['patient/Observation.rs', 'patient/*.cruds', 'user/*.cruds', 'admin/clients.write'],
    })
    const body = await tokensOf(user, request, app)
    assert.deepEqual(
      new Set(body.scope.split(' ')),
      new Set(['launch/patient', 'patient/Observation.rs']),
    )
  })

  test('every step can be cancelled', async () => {
    const app = await addApp()
    for (const steps of [0, 1, 2]) {
      const { user } = await begin(app)
      if (steps > 0) await signIn(user)
      if (steps > 1) await user.press(ANA.name)
      const way = ['Cancel and return to Growth Chart', 'Cancel', 'Deny'][steps] ?? ''
      await user.press(way)
      assert.equal(answerOf(user).get('error'), 'access_denied', way)
      assert.equal(answerOf(user).get('code'), null)
    }
  })

  test('a patient outside the directory cannot be chosen, whatever is posted', async () => {
    const { user } = await begin(await addApp())
    await signIn(user)
    const csrf = /name="csrf" value="([^"]+)"/.exec(user.page().html)?.[1] ?? ''
    const { pathname } = new URL(user.page().url)
    for (const patient of [HIDDEN.id, '', '../p-ana']) {
      await user.post(`${pathname}/patient`, { csrf, patient })
      assert.equal(user.page().status, 403)
      assert.match(user.page().html, /cannot be opened with your account/)
    }
    await user.open(pathname)
    assert.match(user.page().title, /^Choose a patient/)
  })

  test('a patient needs no picker and sees only the own name; nor does a relative of one', async () => {
    const app = await addApp()
    for (const [username, patient] of [
      ['ana', ANA],
      ['mother', BEN],
    ] as const) {
      const { user, request } = await begin(app)
      await signIn(user, username)
      assert.match(user.page().title, /wants access/)
      assert.ok(user.page().html.includes(patient.name))
      await user.press('Allow')
      assert.equal((await tokensOf(user, request, app)).patient, patient.id)
    }
  })

  test('the patient can be changed at consent', async () => {
    const app = await addApp()
    const { user, request } = await begin(app)
    await signIn(user)
    await user.press(ANA.name)
    await user.press('Change')
    assert.match(user.page().title, /^Choose a patient/)
    await user.press(BEN.name)
    await user.press('Allow')
    assert.equal((await tokensOf(user, request, app)).patient, BEN.id)
  })

  test('an encounter is chosen when it is asked for, or left out', async () => {
    const app = await addApp()
    const scope = 'launch/patient launch/encounter patient/Observation.rs'
    for (const [press, expected] of [
      [ANAS_VISIT.title, ANAS_VISIT.id],
      ['Continue without an encounter', undefined],
    ] as const) {
      const { user, request } = await begin(app, { scope })
      await signIn(user)
      await user.press(ANA.name)
      assert.match(user.page().title, /^Choose an encounter/)
      await user.press(press)
      await user.press('Allow')
      const body = await tokensOf(user, request, app)
      assert.equal(body.encounter, expected)
      assert.equal(body.scope.includes('launch/encounter'), expected !== undefined)
    }
  })

  test('without patient scopes there is no picker', async () => {
    const app = await addApp()
    const { user, request } = await begin(app, { scope: 'openid user/Patient.rs' })
    await signIn(user)
    assert.match(user.page().html, /every patient that you may see/)
    await user.press('Allow')
    assert.equal((await tokensOf(user, request, app)).patient, undefined)
  })
})

describe('sign-in', () => {
  test('a wrong password and an unknown user read the same', async () => {
    const pages: string[] = []
    for (const username of ['ines', 'nobody-here']) {
      const { user } = await begin(await addApp())
      await signIn(user, username, 'wrong password here')
      assert.equal(user.page().status, 401)
      assert.match(user.page().html, /role="alert"/)
      pages.push(user.page().html.replaceAll(/value="[^"]*"|\/[A-Za-z0-9_-]{20,}/g, ''))
    }
    assert.equal(pages[0], pages[1])
  })

  test('one session serves the next launch', async () => {
    const app = await addApp()
    const { user } = await begin(app)
    await signIn(user)
    await begin(app, {}, user)
    assert.match(user.page().title, /^Choose a patient/)
  })

  test('prompt=login and max_age=0 ask again, and only a new sign-in counts', async () => {
    const app = await addApp()
    for (const changes of [{ prompt: 'login' }, { max_age: '0' }]) {
      const { user } = await begin(app)
      await signIn(user)
      await begin(app, changes, user)
      assert.match(user.page().title, /^Please sign in again/)
      await user.open(user.page().url)
      assert.match(user.page().title, /^Please sign in again/)
      await signIn(user)
      assert.match(user.page().title, /^Choose a patient/)
      await user.press(ANA.name)
      await user.press('Allow')
      assert.ok(answerOf(user).get('code'))
    }
  })

  test('prompt=none shows nothing', async () => {
    const app = await addApp()
    const { user } = await begin(app)
    await signIn(user)
    await begin(app, { prompt: 'none' }, user)
    assert.match(answerOf(user).get('error') ?? '', /_required$/)
  })

  test('login_hint fills in the user name', async () => {
    const { user } = await begin(await addApp(), { login_hint: '"><b>ines' })
    assert.match(user.page().html, /value="&quot;&gt;&lt;b&gt;ines"/)
  })

  test('a session that came before the sign-in is no session after it', async () => {
    const app = await addApp()
    const { user } = await begin(app)
    await signIn(user)
    const cookie = () =>
      [...user.browser.jar].find(([name]) => name.startsWith('scopegate_session'))?.[1].value
    const first = cookie()
    await begin(app, { prompt: 'login' }, user)
    await signIn(user)
    assert.notEqual(cookie(), first)
    const old = createPageBrowser(at.issuer)
    old.browser.jar.set('scopegate_session /', { value: first ?? '', path: '/' })
    await begin(app, {}, old)
    assert.match(old.page().title, /^Sign in/)
  })

  test('another account starts the choices anew', async () => {
    const { user } = await begin(await addApp())
    await signIn(user)
    await user.press(BEN.name)
    await user.press('Use another account')
    assert.match(user.page().title, /^Sign in/)
    await signIn(user, 'ana')
    assert.ok(user.page().html.includes(ANA.name))
    assert.ok(!user.page().html.includes(BEN.name))
  })

  test('too many attempts are told with the time to wait', async () => {
    const { user } = await begin(await addApp())
    await at.addUser({ username: 'guessed', password: PASSWORD })
    for (let attempt = 0; attempt < 30 && user.page().status !== 429; attempt += 1) {
      await signIn(user, 'guessed', `wrong password ${attempt}`)
    }
    assert.equal(user.page().status, 429)
    assert.ok(Number(user.page().headers.get('retry-after')) > 0)
    assert.match(user.page().html, /Please wait/)
  })

  test('a one-time password is replaced before anything else', async () => {
    const added = await at.users.add({ username: 'newcomer', fhirUser: 'Practitioner/new' })
    assert.ok(added.ok && added.oneTimePassword)
    const { user } = await begin(await addApp())
    await signIn(user, 'newcomer', added.oneTimePassword)
    assert.match(user.page().title, /^Choose a new password/)
    await user.press('Save password', { new: 'short', repeat: 'short' })
    assert.equal(user.page().status, 422)
    await user.press('Save password', {
      new: 'nine tall windmills',
      repeat: 'nine small windmills',
    })
    assert.match(user.page().html, /not the same/)
    await user.press('Save password', { new: 'nine tall windmills', repeat: 'nine tall windmills' })
    assert.match(user.page().title, /^Choose a patient/)
  })
})

describe('an interaction belongs to one browser', () => {
  test('another browser gets nowhere with its address', async () => {
    const { user } = await begin(await addApp())
    const other = createPageBrowser(at.issuer)
    await other.open(user.page().url)
    assert.equal(other.page().status, 400)
    assert.match(other.page().title, /^This page has expired/)
  })

  test("the engine's cookies alone are not enough", async () => {
    const { user } = await begin(await addApp())
    const other = createPageBrowser(at.issuer)
    for (const [name, cookie] of user.browser.jar) {
      if (!name.startsWith('scopegate_browser')) other.browser.jar.set(name, cookie)
    }
    await other.open(user.page().url)
    assert.match(other.page().title, /^This page has expired/)
  })

  test('a form without our token, or from elsewhere, does nothing', async () => {
    const { user } = await begin(await addApp())
    const { pathname } = new URL(user.page().url)
    for (const csrf of ['', 'wrong', undefined]) {
      await user.post(`${pathname}/sign-in`, {
        username: 'ines',
        password: PASSWORD,
        ...(csrf === undefined ? {} : { csrf }),
      })
      assert.equal(user.page().status, 403)
      assert.match(user.page().title, /^Sign in/)
    }
    const foreign = createPageBrowser(at.issuer, { 'sec-fetch-site': 'cross-site' })
    await begin(await addApp(), {}, foreign)
    await signIn(foreign)
    assert.equal(foreign.page().status, 403)
  })
})

describe('an EHR launch', () => {
  const scope = 'openid fhirUser launch patient/Observation.rs'

  test('brings its context, without a picker', async () => {
    const app = await addApp()
    const { launch } = await at.server.launches.create({
      clientId: app,
      context: { patient: BEN.id, encounter: 'e1', need_patient_banner: false, intent: 'review' },
    })
    const { user, request } = await begin(app, { scope, launch })
    await signIn(user)
    assert.ok(user.page().html.includes(BEN.name))
    assert.ok(!user.page().html.includes('>Change<'))
    await user.press('Allow')
    const body = await tokensOf(user, request, app)
    assert.equal(body.patient, BEN.id)
    assert.equal(body.encounter, 'e1')
    assert.equal(body.need_patient_banner, false)
    assert.equal(body.intent, 'review')
  })

  test('a handle of another app, unknown, or used is refused to the app', async () => {
    const app = await addApp()
    const context = { patient: ANA.id }
    const others = await at.server.launches.create({ clientId: await addApp(), context })
    const used = await at.server.launches.create({ clientId: app, context })
    await at.server.launches.redeem(used.launch, { clientId: app, userId: 'u_any' })
    for (const launch of [
      others.launch,
      used.launch,
      'sgl_unknown',
      'eyJwYXRpZW50IjoicC1hbmEifQ',
    ]) {
      const { user } = await begin(app, { scope, launch })
      await signIn(user)
      assert.equal(answerOf(user).get('error'), 'invalid_request')
      assert.match(answerOf(user).get('error_description') ?? '', /launch/)
    }
    assert.ok(at.events.some(({ kind }) => kind === 'launch-refused'))
  })

  test('of another patient is not for a patient, who got hold of the handle', async () => {
    for (const { id, error } of [
      { id: BEN.id, error: 'invalid_request' },
      { id: ANA.id, error: null },
    ]) {
      const app = await addApp()
      const context = { patient: id }
      const { launch } = await at.server.launches.create({ clientId: app, context })
      const { user } = await begin(app, { scope, launch })
      await signIn(user, 'ana')
      if (error === null) await user.press('Allow')
      assert.equal(answerOf(user).get('error'), error)
    }
  })
})

describe('consent', () => {
  test('is not asked where the operator decided so', async () => {
    const app = await addApp({ consent: 'skip' })
    const { user, request } = await begin(app)
    await signIn(user)
    await user.press(ANA.name)
    assert.equal((await tokensOf(user, request, app)).patient, ANA.id)
  })

  test('is remembered per patient when told to, until more is asked for', async () => {
    const app = await addApp({ consent: 'remember' })
    const { user } = await begin(app)
    await signIn(user)
    await user.press(ANA.name)
    await user.press('Allow', { remember: 'yes' })
    assert.ok(answerOf(user).get('code'))
    await begin(app, {}, user)
    await user.press(ANA.name)
    assert.ok(answerOf(user).get('code'), 'remembered')
    await begin(app, {}, user)
    await user.press(BEN.name)
    assert.match(user.page().title, /wants access/, 'another patient')
    await begin(app, { scope: 'launch/patient patient/Observation.rs patient/Condition.rs' }, user)
    await user.press(ANA.name)
    assert.match(user.page().title, /wants access/, 'more scopes')
  })

  test('is not remembered unless ticked, nor where the client asks always', async () => {
    const app = await addApp()
    const { user } = await begin(app)
    await signIn(user)
    await user.press(ANA.name)
    await user.press('Allow', { remember: 'yes' })
    await begin(app, {}, user)
    await user.press(ANA.name)
    assert.match(user.page().title, /wants access/)
  })
})

describe('pages', () => {
  test('have strict headers, no script, and nothing from elsewhere', async () => {
    const { user } = await begin(await addApp({ name: '<script>alert(1)</script>' }))
    const { headers, html } = user.page()
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      "default-src 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "style-src 'self'",
    ]) {
      assert.ok(policy.includes(part), part)
    }
    assert.doesNotMatch(policy, /unsafe|script-src/)
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.ok(headers.get('permissions-policy'))
    assert.doesNotMatch(html, /<script|<style| style=|https?:\/\//)
    const stylesheet = /rel="stylesheet" href="([^"]+)"/.exec(html)?.[1] ?? ''
    const css = await fetch(`${at.issuer}${stylesheet}`)
    assert.equal(css.status, 200)
    const etag = css.headers.get('etag') ?? ''
    assert.match(etag, /^"[^"]+"$/)
    const again = await fetch(`${at.issuer}${stylesheet}`, { headers: { 'if-none-match': etag } })
    assert.equal(again.status, 304)
    assert.doesNotMatch(await css.text(), /url\(|@import/)
  })

  test('speak the language that the app, the user or the browser asks for', async () => {
    const app = await addApp()
    const { user } = await begin(app, { ui_locales: 'fr de' })
    assert.match(user.page().html, /<html lang="de">/)
    assert.match(user.page().title, /^Anmelden/)
    const german = createPageBrowser(at.issuer, { 'accept-language': 'de-CH, en;q=0.5' })
    await begin(app, {}, german)
    assert.match(german.page().title, /^Anmelden/)
  })

  test('a redirect URI that is not registered is told, and not followed', async () => {
    const { user } = await begin(await addApp(), { redirect_uri: 'https://evil.example/x' })
    assert.equal(user.left(), undefined)
    assert.equal(user.page().status, 400)
    assert.match(user.page().html, /redirect_uri/)
    assert.match(user.page().html, /Correlation id/)
  })
})
