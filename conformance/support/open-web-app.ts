import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveLabOpenIdProvider } from '@scopegate/lab'
import { type Browser, isAway, type Page } from './browser.ts'
import { type EchoApp, openEchoApp } from './echo-app.ts'
import { navigate, send } from './navigate.ts'
import { browserOf, openSmartServer, type Person, type SmartServer } from './open-smart-server.ts'

type Lab = Awaited<ReturnType<typeof serveLabOpenIdProvider>>

/** The whole server with web apps behind it: `/desk` signs in here, `/ward` at a lab provider. */
export interface WebApps {
  readonly server: SmartServer
  readonly echo: EchoApp
  readonly lab: Lab
  readonly person: Person
  browser(): Browser
  /** Signs `person` in at this server, from wherever the browser stands. */
  signIn(browser: Browser, path: string, person?: Person): Promise<Page>
  /** Signs a user of the lab in. */
  signInAtLab(browser: Browser, path: string, user?: string): Promise<Page>
  /** A script of the app. */
  script(browser: Browser, path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/** @param changes YAML of the login of `/desk`, and further APIs */
export async function openWebApps(
  changes: { readonly login?: string; readonly yaml?: string } = {},
): Promise<WebApps> {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-web-apps-'))
  writeFileSync(join(folder, 'secret'), 'what this server is known by at the lab')
  const [echo, lab] = await Promise.all([
    openEchoApp(),
    serveLabOpenIdProvider({ flavour: 'keycloak', refreshTokens: { rotate: true } }),
  ])
  const forward = 'headers: { X-User: username, X-Scopes: scopes, X-Name: "claim:name" }'
  const server = await openSmartServer({
    withoutSample: true,
    yaml: `login:
  providers:
    - { name: clinic, preset: keycloak, issuer: ${lab.issuer}, clientId: scopegate, secret: "file:${folder}/secret" }
apis:
  - name: desk
    path: /desk
    upstream: ${echo.url}
    auth:
      mode: both
      username: preferred_username
      login: { scopes: [openid, profile, desk.read], ${changes.login ?? ''} }
    routes:
      - { path: /admin, scopes: [desk.admin] }
      - { path: /read, scopes: [desk.read] }
      - { path: /public/*, public: true }
      - { path: "/*" }
    forward: { ${forward} }
  - name: ward
    path: /ward
    upstream: ${echo.url}
    auth:
      mode: login
      username: preferred_username
      login: { provider: clinic, scopes: [openid, profile] }
    routes: [{ path: "/*" }]
    forward: { ${forward}, authorization: keep }
${changes.yaml ?? ''}`,
  })
  const person = await server.user({ fhirUser: null })

  const apps: WebApps = {
    ...{ server, echo, lab, person },
    browser: () => browserOf(server, navigate),
    async signIn(browser, path, who = person) {
      const login = await browser.open(`${server.url}${path}`)
      if (isAway(login)) throw new Error(`led away to ${login.away}`)
      const form = login.forms.find(({ fields }) => fields.some(({ name }) => name === 'password'))
      if (form === undefined) return login
      const { username, password } = who
      const page = await browser.submit(form, { username, password })
      if (isAway(page)) throw new Error(`led away to ${page.away}`)
      return page
    },
    async signInAtLab(browser, path, user = 'nora') {
      const there = await browser.open(`${server.url}${path}`)
      if (!isAway(there)) return there
      const answer = await fetch(`${there.away.href}&lab_user=${user}`, { redirect: 'manual' })
      const page = await browser.open(answer.headers.get('location') ?? '')
      if (isAway(page)) throw new Error(`led away to ${page.away}`)
      return page
    },
    async script(browser, path, init = {}) {
      const url = `${server.url}${path}`
      const headers = new Headers(init.headers)
      if (!headers.has('accept')) headers.set('accept', 'application/json')
      const method = init.method ?? 'GET'
      if (method !== 'GET' && !headers.has('origin')) headers.set('origin', server.url)
      if (headers.get('origin') === '') headers.delete('origin')
      const cookie = browser.cookies.header(url)
      if (cookie !== undefined && !headers.has('cookie')) headers.set('cookie', cookie)
      const mode = { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
      const response = await send(url, mode, { ...init, headers })
      browser.cookies.keep(response, url)
      return response
    },
    async close() {
      await server.close()
      await Promise.all([echo.close(), lab.close()])
      rmSync(folder, { recursive: true })
    },
  }
  return apps
}
