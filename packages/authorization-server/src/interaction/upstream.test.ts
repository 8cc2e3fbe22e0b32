import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LoginRefused, type UpstreamLogins } from '@scopegate/oidc-login'
import { testStorage } from '@scopegate/storage/testing'
import { authorizationOf, REDIRECT_URI } from '../testing/launch-app.ts'
import { createPageBrowser } from '../testing/page-browser.ts'
import { PASSWORD, type StartedWithPeople, startWithPeople } from '../testing/start-with-people.ts'
import { upstreamCallbackPath } from './upstream-callback.ts'

const PROVIDER = 'https://idp.example'
const begun: { name: string; options: Parameters<UpstreamLogins['begin']>[1] }[] = []

/** A provider that signs in whoever comes, with the state as the path to go back to. */
const upstreamLogins: UpstreamLogins = {
  list: () => [{ name: 'hospital', label: 'Hospital account' }],
  async begin(name, options) {
    begun.push({ name, options })
    return { redirectTo: `${PROVIDER}/authorize`, state: options.returnTo, maxAgeSeconds: 600 }
  },
  async complete(provider, url, state) {
    if (state === undefined) throw new LoginRefused('state_missing')
    return {
      ...{ provider, returnTo: state, issuer: PROVIDER, remarks: [] },
      subject: url.searchParams.get('subject') ?? 'subject-1',
      claims: { name: 'Ines Upstream', fhirUser: 'Practitioner/ines' } as never,
      authentication: { amr: ['mfa'] },
    }
  },
  refresh: async () => Promise.reject(new Error('nothing is refreshed here')),
  logoutUrl: async () => undefined,
  verifyLogoutToken: () => Promise.reject(new Error('not asked for')),
}

const storage = await testStorage()
let at: StartedWithPeople
let app: string

before(async () => {
  at = await startWithPeople(storage, { user: { upstreamLogins } })
  const added = await at.server.clients.add({
    name: 'Growth Chart',
    public: true,
    scopes: 'openid launch/patient patient/*.rs',
    grants: ['authorization_code'],
    redirectUris: [REDIRECT_URI],
  })
  assert.ok(added.ok)
  app = added.client.clientId
})
after(() => at.close())

async function begin(changes = {}) {
  const user = createPageBrowser(at.issuer)
  const request = authorizationOf(at, app, { scope: 'openid patient/Observation.rs', ...changes })
  await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
  const href = /href="([^"]+\/upstream\/hospital)"/.exec(user.page().html)?.[1]
  assert.ok(href)
  return { user, href }
}

const callback = upstreamCallbackPath('hospital')

test('a sign-in elsewhere goes on with the launch', async () => {
  const { user, href } = await begin()
  assert.match(user.page().html, /Continue with Hospital account/)
  await user.open(href)
  assert.equal(user.left()?.href, `${PROVIDER}/authorize`)
  await user.open(`${callback}?code=x`)
  assert.match(user.page().title, /^Choose a patient/)
  assert.match(user.page().html, /Signed in as Ines Upstream/)
})

test('a new sign-in is asked for there too', async () => {
  const { user, href } = await begin({ prompt: 'login', login_hint: 'ines' })
  await user.open(href)
  // Without a session there is nothing that would not be new, and yet the provider has one.
  assert.equal(begun.at(-1)?.options.prompt, 'login')
  assert.equal(begun.at(-1)?.options.loginHint, 'ines')
})

test('an answer that no browser of ours waits for is told, and signs nobody in', async () => {
  const user = createPageBrowser(at.issuer)
  await user.open(`${callback}?code=x`)
  assert.equal(user.page().status, 400)
  assert.match(user.page().html, /Correlation id/)
  await user.open('/account')
  assert.match(user.page().title, /^Sign in/)
  await user.open(`${upstreamCallbackPath('unknown')}?code=x`)
  assert.match(user.page().title, /^This did not work/)
})

test('the same answer works once', async () => {
  const { user, href } = await begin()
  await user.open(href)
  await user.open(`${callback}?code=x`)
  const other = createPageBrowser(at.issuer)
  await other.open(`${callback}?code=x`)
  assert.equal(other.page().status, 400)
  await user.open(`${callback}?code=x`)
  assert.equal(user.page().status, 400)
})

test('the account offers it, and no password that is kept elsewhere', async () => {
  const user = createPageBrowser(at.issuer)
  await user.open('/account/security')
  await user.open('/account/login/security/upstream/hospital')
  assert.equal(user.left()?.href, `${PROVIDER}/authorize`)
  await user.open(`${callback}?subject=only-upstream`)
  assert.match(user.page().title, /^Security/)
  assert.doesNotMatch(user.page().html, /Change password/)
})

test('a disabled user is refused', async () => {
  await at.users.add({ username: 'unused', password: PASSWORD })
  const user = createPageBrowser(at.issuer)
  await user.open('/account/login/grants/upstream/hospital')
  await user.open(`${callback}?subject=leaver`)
  const { users } = await at.users.list()
  const leaver = users.filter(({ hasPassword }) => !hasPassword).at(-1)
  for (const each of users) if (!each.hasPassword) await at.users.disable(each.id)
  assert.ok(leaver)
  await user.open('/account')
  assert.match(user.page().title, /^Sign in/)
  await user.open('/account/login/grants/upstream/hospital')
  await user.open(`${callback}?subject=leaver`)
  assert.equal(user.page().status, 403)
})
