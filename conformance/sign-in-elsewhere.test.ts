import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { serveLabOpenIdProvider } from '@scopegate/lab'
import { type Browser, isAway, type Page } from './support/browser.ts'
import { walkPages } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { decodeJwt } from './support/smart-app.ts'

// The whole server with two providers by configuration, and people who have no account here.
const SCOPE = 'openid fhirUser launch/patient patient/Patient.rs user/Observation.rs'
const folder = mkdtempSync(join(tmpdir(), 'scopegate-elsewhere-'))
writeFileSync(join(folder, 'secret'), 'what this server is known by at the lab')
const clinic = await serveLabOpenIdProvider({ flavour: 'keycloak' })
const microsoft = await serveLabOpenIdProvider({ flavour: 'entra' })
const server = await openSmartServer({
  yaml: `login:
  providers:
    - name: clinic
      label: Clinic
      preset: keycloak
      issuer: ${clinic.issuer}
      clientId: scopegate
      secret: file:${folder}/secret
      claims: { fhirUser: fhirUser, roles: { from: /realm_access/roles, values: { nurse: clinician } } }
    - name: microsoft
      preset: entra
      issuer: ${microsoft.issuer}
      tenants: [11111111-2222-4333-8444-555555555555]
      clientId: scopegate
      secret: file:${folder}/secret
      claims: { fhirUser: "Practitioner/{employeeId}" }
`,
})
after(async () => {
  await server.close()
  await Promise.all([clinic.close(), microsoft.close()])
  rmSync(folder, { recursive: true })
})
const app = await server.app({ scopes: SCOPE })
interface Trace {
  readonly checks: readonly { name: string; outcome: string; code?: string; fix?: string }[]
}

const nobody = { id: '', username: '', password: '' }

/** Presses a provider's button, chooses somebody there, and comes back with the browser. */
async function signInAt(browser: Browser, page: Page, label: string, who: string) {
  const link = page.links.find(({ text }) => text.includes(label))
  assert.ok(link, page.text)
  const there = await browser.open(new URL(link.href, page.url).href)
  assert.ok(isAway(there))
  const answer = await fetch(`${there.away.href}&lab_user=${who}`, { redirect: 'manual' })
  return browser.open(answer.headers.get('location') ?? '')
}

async function launch(label: string, who: string, browser = browserOf(server)) {
  const request = app.authorize({ scope: SCOPE })
  const login = await browser.open(request.url)
  assert.ok(!isAway(login))
  const next = await signInAt(browser, login, label, who)
  const away = await walkPages(browser, next, nobody, { patient: 'patient-1' })
  const code = away.away.searchParams.get('code') ?? ''
  const { json } = await app.exchange(code, request)
  assert.ok(json.access_token, JSON.stringify(json))
  const { claims } = decodeJwt(String(json.id_token))
  return { browser, token: json.access_token, claims, patient: json.patient }
}

describe('an app is launched by somebody who signs in elsewhere', () => {
  for (const label of ['Clinic', 'Microsoft']) {
    test(`at ${label}: patient, fhirUser and data as for any other user`, async () => {
      const { token, claims, patient } = await launch(label, 'nora')
      assert.equal(patient, 'patient-1')
      assert.equal(claims.fhirUser, `${server.fhirUrl}/Practitioner/pract-2`)
      assert.equal(claims.iss, server.url, 'apps see this server only')
      const read = await server.fhir(token, 'Patient/patient-1')
      assert.equal(read.status, 200)
    })
  }

  test('is another user at each provider, and the same one at the same', async () => {
    const subjects = []
    for (const label of ['Clinic', 'Clinic', 'Microsoft']) {
      subjects.push((await launch(label, 'paul')).claims.sub)
    }
    assert.equal(subjects[0], subjects[1])
    assert.notEqual(subjects[0], subjects[2], 'the address is the same, and says nothing')
  })

  test('where the user comes from is stored, and neither token nor secret of the provider', async () => {
    const { claims } = await launch('Clinic', 'nora')
    const rows = await server.sql('SELECT * FROM identity_upstream WHERE user_id = $1', [
      claims.sub,
    ])
    assert.match(JSON.stringify(rows), new RegExp(clinic.subjectOf('nora', 'scopegate')))
    const tables = await server.sql(
      `SELECT format('%I', table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    )
    for (const { name } of tables) {
      const [{ found } = { found: 0 }] = await server.sql(
        `SELECT count(*)::int AS found FROM ${name} AS t WHERE t::text LIKE '%what this server is known by%'
            OR t::text ~ 'eyJ[A-Za-z0-9_-]{8,}[.]eyJ'`,
      )
      assert.equal(found, 0, String(name))
    }
  })

  test('and ends here when it ends there', async () => {
    const { browser, claims } = await launch('Clinic', 'nora')
    const account = await browser.open(`${server.url}/account`)
    assert.ok(!isAway(account) && new URL(account.url).pathname === '/account')
    const logout_token = clinic.mintLogoutToken({ clientId: 'scopegate', userId: 'nora' })
    const answer = await fetch(`${server.url}/oauth/login/clinic/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token }),
    })
    assert.equal(answer.status, 200, await answer.text())
    const later = await browser.open(`${server.url}/account`)
    assert.ok(!isAway(later))
    assert.notEqual(new URL(later.url).pathname, '/account')
    const rows = await server.sql('SELECT id FROM identity_session WHERE user_id = $1', [
      claims.sub,
    ])
    assert.deepEqual(rows, [])
  })
})

describe('what a provider must not do', () => {
  test('a refused sign-in is in the log with its reason and fix, and holds no token', async () => {
    const browser = browserOf(server)
    const login = await browser.open(app.authorize({ scope: SCOPE }).url)
    assert.ok(!isAway(login))
    clinic.faults.add('wrong_nonce')
    const page = await signInAt(browser, login, 'Clinic', 'nora').finally(() =>
      clinic.faults.clear(),
    )
    assert.ok(!isAway(page))
    assert.equal(page.status, 502)
    const lines = server.log.filter((line) => line.includes('id_token_nonce'))
    assert.equal(lines.length, 1, server.log.slice(-5).join(''))
    assert.match(lines[0] ?? '', /belongs to another sign-in/)

    const id = /<code>([\w-]{8,})<\/code>/.exec(page.html.split('login_failed')[1] ?? '')?.[1]
    assert.ok(id, page.html)
    const found = await server.admin<{ traces: Trace[] }>('GET', `/traces?correlation_id=${id}`)
    const failed = found.traces[0]?.checks.find(({ outcome }) => outcome === 'fail')
    assert.equal(failed?.name, 'id_token')
    assert.equal(failed?.code, 'id_token_nonce')
    assert.match(failed?.fix ?? '', /belongs to another sign-in/)
    assert.doesNotMatch(server.log.join(''), /eyJ[\w-]+\.eyJ/, 'no JWT in any line')
    assert.doesNotMatch(server.log.join(''), /nora@clinic\.example|what this server is known by/)
  })

  test('an answer of one provider is not taken at the address of the other (mix-up)', async () => {
    const browser = browserOf(server)
    const login = await browser.open(app.authorize({ scope: SCOPE }).url)
    assert.ok(!isAway(login))
    const link = login.links.find(({ text }) => text.includes('Microsoft'))
    const there = await browser.open(new URL(link?.href ?? '', login.url).href)
    assert.ok(isAway(there))
    const answer = await fetch(`${there.away.href}&lab_user=nora`, { redirect: 'manual' })
    const swapped = (answer.headers.get('location') ?? '').replace('/microsoft/', '/clinic/')
    const page = await browser.open(swapped)
    assert.ok(!isAway(page))
    assert.equal(page.status, 400)
    assert.ok(server.log.some((line) => line.includes('state_of_other_provider')))
  })

  test('a sign-in leads back to this server only', async () => {
    for (const where of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
      const browser = browserOf(server)
      const page = await browser.open(
        `${server.url}/account/login/upstream/clinic?returnTo=${encodeURIComponent(where)}`,
      )
      const target = isAway(page) ? page.away : new URL(page.url)
      assert.notEqual(target.hostname, 'evil.example')
      assert.ok(!target.href.includes('redirect_uri=https%3A%2F%2Fevil'))
    }
  })
})
