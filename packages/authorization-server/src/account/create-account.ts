import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Passkeys, Sessions, Users } from '@scopegate/identity'
import type { PatientDirectory } from '@scopegate/oauth-model'
import type { UpstreamLogins } from '@scopegate/oidc-login'
import type { Client } from '../clients/client.ts'
import type { Controller } from '../controller.ts'
import type { Grants } from '../grants/grants.ts'
import type { SignedIn, SignIn } from '../interaction/sign-in.ts'
import { ACCOUNT_PATHS } from '../pages/account-pages.ts'
import { type Browser, isSameOrigin } from '../pages/browser.ts'
import type { Pages } from '../pages/create-pages.ts'
import { errorPage } from '../pages/error-page.ts'
import type { PageFrame } from '../pages/layout.ts'
import { loggedOutPage, logOutPage } from '../pages/logged-out-page.ts'
import { type Form, readForm } from '../pages/read-form.ts'
import { showApps, takeRevocation } from './apps.ts'
import { takePasskeys } from './passkeys.ts'
import { showPassword, showSecurity, takeFactor, takePassword } from './security.ts'
import { showSessions, takeSessionEnd } from './sessions.ts'

export interface AccountDeps {
  readonly signIn: SignIn
  readonly pages: Pages
  readonly users: Pick<
    Users,
    'authenticate' | 'changePassword' | 'beginTotp' | 'confirmTotp' | 'removeSecondFactors'
  >
  readonly sessions: Pick<Sessions, 'listOf'>
  readonly passkeys?: Pick<
    Passkeys,
    'beginRegistration' | 'finishRegistration' | 'listOf' | 'remove'
  >
  /** With all that belongs to the session. */
  readonly endSession: (sessionId: string) => Promise<void>
  readonly grants: Pick<Grants, 'listOf' | 'revokeClient'>
  readonly directory: PatientDirectory
  readonly findClient: (clientId: string) => Promise<Client | undefined>
  readonly apiScopeTitle: (scope: string) => string | undefined
  readonly upstreamLogins?: Pick<UpstreamLogins, 'list' | 'begin'>
  readonly minPasswordCharacters?: number
  readonly clientAddress: (request: IncomingMessage) => string
  readonly correlationId: (request: IncomingMessage) => string
  readonly onEvent?: (event: AccountEvent) => void
  readonly onError?: (error: unknown, correlationId: string) => void
}

/** What is worth an audit entry. */
export interface AccountEvent {
  readonly kind:
    | 'signed-in'
    | 'sign-in-refused'
    | 'signed-out'
    | 'revoked'
    | 'session-ended'
    | 'password-changed'
    | 'second-factor-added'
    | 'second-factor-removed'
  readonly correlationId: string
  /** Missing only where nobody was known yet. */
  readonly userId?: string
  readonly clientId?: string
  /** How a user signed in. @see RFC 8176 */
  readonly amr?: readonly string[]
  /** Where, if elsewhere. */
  readonly issuer?: string
  /** The step at which a sign-in was refused. */
  readonly reason?: string
}

/** One request of a user who is signed in. */
export interface AccountVisit {
  readonly deps: AccountDeps
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly frame: PageFrame
  readonly signedIn: SignedIn
  readonly csrf: string
  readonly correlationId: string
}

type Tab = 'grants' | 'sessions' | 'security'

/** What a page may say after a redirect; only these words, whatever the URL holds. */
export const DONE = {
  revoked: 'account.revoked',
  'session-ended': 'account.sessionEnded',
  'sessions-ended': 'account.sessionsEnded',
  'password-saved': 'password.saved',
  'factor-removed': 'account.factorRemoved',
  'passkey-added': 'passkey.added',
  'passkey-removed': 'passkey.removed',
} as const
export type Done = keyof typeof DONE

/**
 * Pages for users about themselves: what they granted, where they are signed in, how they sign in.
 * Where a sign-in leads to afterwards is part of its path, out of three: no URL is ever followed.
 */
export function createAccount(deps: AccountDeps): Controller {
  const { pages, signIn } = deps

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://localhost')
    const path = url.pathname.replace(/\/$/, '')
    const post = request.method === 'POST'
    if (!post && request.method !== 'GET') return notFound(request, response, 405)

    const browser = pages.browser(request, response)
    const signedIn = await signIn.current(request)
    const frame = pages.frame(request, { userLocale: signedIn?.user.locale })
    const parts = { request, response, browser, frame, signedIn }
    if (path === ACCOUNT_PATHS.login || path.startsWith(`${ACCOUNT_PATHS.login}/`)) {
      return login(parts, path)
    }
    if (path === `${ACCOUNT_PATHS.logout}/done`) {
      return pages.send(response, loggedOutPage(frame, { signInHref: ACCOUNT_PATHS.login }))
    }
    if (signedIn === undefined) {
      const tab = tabOf(path)
      if (tab === undefined) return notFound(request, response)
      return pages.redirect(response, `${ACCOUNT_PATHS.login}/${tab}`)
    }
    const csrf = browser.csrf(signedIn.session.id)
    const correlationId = deps.correlationId(request)
    const visit: AccountVisit = { deps, request, response, frame, signedIn, csrf, correlationId }
    if (post) {
      const form = await readForm(request)
      if (!isSameOrigin(request) || !browser.isCsrf(signedIn.session.id, form.one('csrf'))) {
        const problem = frame.words('common.staleForm')
        return showTab(visit, tabOf(path) ?? 'grants', { problem, status: 403 })
      }
      return take(visit, path, form)
    }
    if (path === ACCOUNT_PATHS.password) return showPassword(visit)
    if (path === ACCOUNT_PATHS.logout) {
      const fields = { csrf }
      const view = { action: ACCOUNT_PATHS.logout, fields, stayHref: ACCOUNT_PATHS.grants }
      return pages.send(response, logOutPage(frame, view))
    }
    const tab = exactTab(path)
    if (tab === undefined) return notFound(request, response)
    const done = DONE[url.searchParams.get('done') as Done]
    return showTab(visit, tab, done === undefined ? {} : { notice: frame.words(done) })
  }

  function showTab(visit: AccountVisit, tab: Tab, told: Told): Promise<void> {
    if (tab === 'sessions') return showSessions(visit, told)
    if (tab === 'security') return showSecurity(visit, told)
    return showApps(visit, told)
  }

  async function take(visit: AccountVisit, path: string, form: Form): Promise<void> {
    const { request, response, signedIn, correlationId } = visit
    switch (path) {
      case `${ACCOUNT_PATHS.grants}/revoke`:
        return takeRevocation(visit, form)
      case `${ACCOUNT_PATHS.sessions}/end`:
      case `${ACCOUNT_PATHS.sessions}/end-others`:
        return takeSessionEnd(visit, path.endsWith('others') ? 'others' : 'one', form)
      case ACCOUNT_PATHS.password:
        return takePassword(visit, form)
      case `${ACCOUNT_PATHS.factor}/begin`:
      case `${ACCOUNT_PATHS.factor}/confirm`:
      case `${ACCOUNT_PATHS.factor}/remove`:
        return takeFactor(visit, path.slice(ACCOUNT_PATHS.factor.length + 1), form)
      case `${ACCOUNT_PATHS.passkeys}/begin`:
      case `${ACCOUNT_PATHS.passkeys}/confirm`:
      case `${ACCOUNT_PATHS.passkeys}/remove`:
        return takePasskeys(visit, path.slice(ACCOUNT_PATHS.passkeys.length + 1), form)
      case ACCOUNT_PATHS.logout:
        await signIn.end(request, response)
        deps.onEvent?.({ kind: 'signed-out', correlationId, userId: signedIn.user.id })
        return pages.redirect(response, `${ACCOUNT_PATHS.logout}/done`)
      default:
        return notFound(request, response)
    }
  }

  /** `/account/login/<where to go>/<form>` */
  async function login(
    { request, response, browser, frame, signedIn }: Arrival,
    path: string,
  ): Promise<void> {
    const [name, action = '', provider = ''] = path.slice(ACCOUNT_PATHS.login.length + 1).split('/')
    const tab = path === ACCOUNT_PATHS.login ? 'grants' : TABS.find((each) => each === name)
    if (tab === undefined) return notFound(request, response)
    const base = `${ACCOUNT_PATHS.login}/${tab}`
    const subject = 'account login'
    const visit = { request, response, browser, frame, csrf: browser.csrf(subject), base }
    if (request.method === 'POST') {
      const form = await readForm(request)
      if (!isSameOrigin(request) || !browser.isCsrf(subject, form.one('csrf'))) {
        const problem = frame.words('common.staleForm')
        return signIn.show(visit, { problem, status: 403 })
      }
      const came = await signIn.take(visit, action, form)
      if (came === 'answered') return
      return pages.redirect(response, came === 'unknown' ? base : ACCOUNT_PATHS[tab])
    }
    if (signedIn !== undefined) return pages.redirect(response, ACCOUNT_PATHS[tab])
    if (action === 'upstream') return beginUpstream(visit, provider, ACCOUNT_PATHS[tab])
    return signIn.show(visit)
  }

  async function beginUpstream(
    visit: Parameters<SignIn['show']>[0],
    name: string,
    returnTo: string,
  ): Promise<void> {
    const provider = deps.upstreamLogins?.list().find((each) => each.name === name)
    if (provider === undefined) return pages.redirect(visit.response, visit.base)
    try {
      const begun = await deps.upstreamLogins!.begin(name, { returnTo })
      signIn.keepUpstream(visit.response, begun.state, begun.maxAgeSeconds)
      pages.redirect(visit.response, begun.redirectTo)
    } catch (error) {
      deps.onError?.(error, deps.correlationId(visit.request))
      const problem = visit.frame.words('signIn.upstreamFailed', { provider: provider.label })
      await signIn.show(visit, { problem, status: 502, fresh: true })
    }
  }

  function notFound(request: IncomingMessage, response: ServerResponse, status = 404): void {
    const correlationId = deps.correlationId(request)
    const view = { kind: 'request', code: 'not_found', correlationId } as const
    pages.send(response, errorPage(pages.frame(request), view), status)
  }

  return {
    routes: [ACCOUNT_PATHS.grants, `${ACCOUNT_PATHS.grants}/*`],
    owns: (path) => path === ACCOUNT_PATHS.grants || path.startsWith(`${ACCOUNT_PATHS.grants}/`),
    async handle(request, response) {
      try {
        await handle(request, response)
      } catch (error) {
        const correlationId = deps.correlationId(request)
        deps.onError?.(error, correlationId)
        if (response.headersSent) response.destroy()
        else {
          const view = { kind: 'server', code: 'server_error', correlationId } as const
          pages.send(response, errorPage(pages.frame(request), view), 500)
        }
      }
    },
  }
}

interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly browser: Browser
  readonly frame: PageFrame
  readonly signedIn: SignedIn | undefined
}

/** What a page says beside its content. */
export interface Told {
  readonly notice?: string
  readonly problem?: string
  readonly status?: number
  readonly retryAfterSeconds?: number
}

const TABS: readonly Tab[] = ['grants', 'sessions', 'security']

function exactTab(path: string): Tab | undefined {
  return TABS.find((tab) => ACCOUNT_PATHS[tab] === path)
}

/** The page that a path belongs to: where a visitor goes on after a sign-in. */
function tabOf(path: string): Tab | undefined {
  if (path.startsWith(ACCOUNT_PATHS.sessions)) return 'sessions'
  const { security: page, password, factor, passkeys } = ACCOUNT_PATHS
  const security = [page, password, factor, passkeys]
  if (security.some((start) => path.startsWith(start))) return 'security'
  const grants = [ACCOUNT_PATHS.grants, `${ACCOUNT_PATHS.grants}/revoke`, ACCOUNT_PATHS.logout]
  return (grants as readonly string[]).includes(path) ? 'grants' : undefined
}

/** The members that every account page has. */
export function baseOf({ csrf, signedIn }: AccountVisit, told: Told) {
  return {
    csrf,
    userName: signedIn.user.name,
    ...(told.notice === undefined ? {} : { notice: told.notice }),
    ...(told.problem === undefined ? {} : { problem: told.problem }),
  }
}

export function goTo({ deps, response }: AccountVisit, path: string, done: Done): void {
  deps.pages.redirect(response, `${path}?done=${done}`)
}
