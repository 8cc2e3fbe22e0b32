import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session, Sessions, SignIn as SignInStep, User, Users } from '@scopegate/identity'
import type { UpstreamLogins } from '@scopegate/oidc-login'
import type { Sealer } from '@scopegate/secrets'
import type { AccountEvent } from '../account/create-account.ts'
import { type Browser, readCookie, sessionCookieName, setCookie } from '../pages/browser.ts'
import type { Pages } from '../pages/create-pages.ts'
import type { PageFrame } from '../pages/layout.ts'
import type { Form } from '../pages/read-form.ts'
import { askForPasskey, type SignInPasskeys, takePasskey } from './passkey-sign-in.ts'
import { createPendingSignIns, type PendingSignIn } from './pending-sign-in.ts'
import { signInPage } from './sign-in-page.ts'

export interface SignInDeps {
  readonly users: Pick<
    Users,
    'authenticate' | 'verifyTotp' | 'verifyRecoveryCode' | 'chooseFirstPassword' | 'find'
  >
  readonly sessions: Pick<Sessions, 'start' | 'find' | 'findSignedIn'>
  /** With all that belongs to the session. */
  readonly endSession: (sessionId: string) => Promise<void>
  readonly upstreamLogins?: Pick<UpstreamLogins, 'list'>
  readonly passkeys?: SignInPasskeys
  readonly pages: Pages
  readonly sealer: Sealer
  readonly nowMs: () => number
  readonly clientAddress: (request: IncomingMessage) => string
  readonly minPasswordCharacters?: number
  readonly correlationId: (request: IncomingMessage) => string
  readonly onEvent?: (event: AccountEvent) => void
}

/** One request of a sign-in, wherever it takes place. */
export interface SignInVisit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly browser: Browser
  readonly frame: PageFrame
  readonly csrf: string
  /** Forms are sent under it: `<base>/sign-in`, `/factor`, `/new-password`, `/restart`. */
  readonly base: string
  /** The app that it is for. */
  readonly clientId?: string
  readonly appName?: string
  readonly again?: boolean
  readonly loginHint?: string
  readonly canCancel?: boolean
}

export interface SignedIn {
  readonly session: Session
  readonly user: User
}

/** What pages around a sign-in say, beside the words of the page. */
export interface Telling {
  readonly problem?: string
  readonly status?: number
  readonly retryAfterSeconds?: number
  readonly username?: string
  /** From the start, whatever step the browser is at. */
  readonly fresh?: boolean
}

/** Sign-in by pages: of an interaction, and of our own account pages. */
export interface SignIn {
  /** Who is signed in in this browser. */
  current(request: IncomingMessage): Promise<SignedIn | undefined>
  /** The page of the step that is next. */
  show(visit: SignInVisit, telling?: Telling): Promise<void>
  /**
   * Takes a form. `signed-in`: the response has the cookie and waits to be sent; `answered`: it was
   * sent; `unknown`: no such form.
   */
  take(
    visit: SignInVisit,
    action: string,
    form: Form,
  ): Promise<'signed-in' | 'answered' | 'unknown'>
  /** A new session with a new cookie, whatever the browser had before. @see session fixation */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    session: Pick<Parameters<Sessions['start']>[0], 'userId' | 'amr' | 'upstream'>,
  ): Promise<void>
  /** Keeps what a sign-in elsewhere needs when it comes back. */
  keepUpstream(response: ServerResponse, state: string, maxAgeSeconds: number): void
  /** What was kept; it is forgotten. */
  takeUpstream(request: IncomingMessage, response: ServerResponse): string | undefined
  /** Ends the session of the browser, and forgets the cookie. @returns the session that ended */
  end(request: IncomingMessage, response: ServerResponse): Promise<Session | undefined>
}

export function createSignIn(deps: SignInDeps): SignIn {
  const { users, sessions, pages } = deps
  const cookieName = sessionCookieName(pages.cookies.secure)
  const pendings = createPendingSignIns({ ...deps, cookies: pages.cookies })

  async function current(request: IncomingMessage): Promise<SignedIn | undefined> {
    const token = readCookie(request, cookieName)
    if (token === undefined || token === '') return undefined
    return sessions.findSignedIn(token)
  }

  async function show(visit: SignInVisit, telling: Telling = {}): Promise<void> {
    const pending = telling.fresh ? undefined : pendings.read(visit.request, visit.browser)
    const user = pending && (await users.find(pending.userId))
    const at = pending && user && { user, next: pending.next }
    send(visit, telling, signInPage(visit, telling, deps, at))
  }

  function send({ response }: SignInVisit, telling: Telling, page: string): void {
    const { retryAfterSeconds: wait } = telling
    const headers = wait === undefined ? undefined : { 'Retry-After': String(Math.ceil(wait)) }
    pages.send(response, page, telling.status ?? 200, headers)
  }

  function wait(visit: SignInVisit, retryAfterSeconds: number): Telling {
    const { words: t } = visit.frame
    const problem = t('signIn.wait', { time: t.duration(retryAfterSeconds) })
    return { problem, status: 429, retryAfterSeconds }
  }

  async function goOn(
    visit: SignInVisit,
    step: SignInStep,
    shown: readonly string[],
    refused: Telling,
  ) {
    const { response, browser } = visit
    switch (step.kind) {
      case 'done':
        return finish(visit, step.user.id, step.amr)
      case 'second-factor':
      case 'password-change':
        pendings.write(response, browser, { userId: step.user.id, next: step.kind, amr: shown })
        pages.redirect(response, visit.base)
        return 'answered'
      case 'refused':
        tell(visit, { kind: 'sign-in-refused', reason: shown.at(-1) ?? 'pwd' })
        await show(visit, refused)
        return 'answered'
      case 'wait':
        tell(visit, { kind: 'sign-in-refused', reason: 'too many attempts' })
        await show(visit, { ...refused, ...wait(visit, step.retryAfterSeconds) })
        return 'answered'
    }
  }

  async function finish(visit: SignInVisit, userId: string, amr: readonly string[]) {
    await begin(visit.request, visit.response, { userId, amr })
    tell(visit, { kind: 'signed-in', userId, amr })
    return 'signed-in' as const
  }

  function tell(visit: SignInVisit, event: Omit<AccountEvent, 'correlationId' | 'clientId'>) {
    const { request, clientId } = visit
    const correlationId = deps.correlationId(request)
    deps.onEvent?.({ ...event, correlationId, ...(clientId === undefined ? {} : { clientId }) })
  }

  async function takePassword(visit: SignInVisit, form: Form) {
    const { words: t } = visit.frame
    const username = form.one('username')?.trim() ?? ''
    const password = form.one('password') ?? ''
    // A new attempt forgets whose second factor was asked for.
    pendings.clear(visit.response)
    const again = { username, fresh: true }
    if (username === '' || password === '') {
      await show(visit, { ...again, problem: t('signIn.missing'), status: 422 })
      return 'answered' as const
    }
    const address = deps.clientAddress(visit.request)
    const step = await users.authenticate({ username, password, address })
    return goOn(visit, step, ['pwd'], { ...again, problem: t('signIn.refused'), status: 401 })
  }

  async function takeFactor(visit: SignInVisit, form: Form, pending: PendingSignIn) {
    const code = (form.one('code') ?? '').replaceAll(/\s/g, '')
    const attempt = { userId: pending.userId, code, address: deps.clientAddress(visit.request) }
    const step = /^\d{6,8}$/.test(code)
      ? await users.verifyTotp(attempt)
      : await users.verifyRecoveryCode({ ...attempt, code: form.one('code')?.trim() ?? '' })
    return goOn(visit, step, [...pending.amr, 'otp'], {
      problem: visit.frame.words('factor.refused'),
      status: 401,
    })
  }

  async function takePasskeyAnswer(
    visit: SignInVisit,
    form: Form,
    pending: PendingSignIn | undefined,
    passkeys: SignInPasskeys,
  ) {
    const address = deps.clientAddress(visit.request)
    const step = await takePasskey(form, pending, { passkeys, address })
    // RFC 8176: proof of possession of a key; which kind it is, is said with a sign-in that is done.
    return goOn(visit, step, [...(pending?.amr ?? []), 'pop'], {
      problem: visit.frame.words('passkey.refused'),
      status: 401,
    })
  }

  async function takeNewPassword(visit: SignInVisit, form: Form, pending: PendingSignIn) {
    const { words: t } = visit.frame
    const password = form.one('new') ?? ''
    if (password !== form.one('repeat')) {
      await show(visit, { problem: t('password.differ'), status: 422 })
      return 'answered' as const
    }
    const change = await users.chooseFirstPassword({ userId: pending.userId, password })
    switch (change.kind) {
      case 'done':
        return finish(visit, change.user.id, pending.amr)
      case 'unfit': {
        const problem = t('password.refused', { reason: `${change.why}; ${change.fix}` })
        await show(visit, { problem, status: 422 })
        return 'answered' as const
      }
      case 'wait':
        await show(visit, wait(visit, change.retryAfterSeconds))
        return 'answered' as const
      case 'refused':
        return restart(visit)
    }
  }

  function restart({ response, base }: SignInVisit) {
    pendings.clear(response)
    pages.redirect(response, base)
    return 'answered' as const
  }

  const begin: SignIn['begin'] = async (request, response, { userId, amr, upstream }) => {
    const userAgent = request.headers['user-agent']
    const replaces = readCookie(request, cookieName)
    const { token } = await sessions.start({
      userId,
      amr,
      ...(upstream === undefined ? {} : { upstream }),
      address: deps.clientAddress(request),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(replaces === undefined ? {} : { replaces }),
    })
    pendings.clear(response)
    setCookie(response, cookieName, token, pages.cookies)
  }

  const upstreamCookie = pages.cookies.secure ? '__Host-scopegate_upstream' : 'scopegate_upstream'
  return {
    current,
    show,
    begin,
    keepUpstream: (response, state, maxAgeSeconds) =>
      setCookie(response, upstreamCookie, state, pages.cookies, maxAgeSeconds),
    takeUpstream(request, response) {
      setCookie(response, upstreamCookie, undefined, pages.cookies)
      return readCookie(request, upstreamCookie)
    },
    async take(visit, action, form) {
      if (action === 'sign-in') return takePassword(visit, form)
      if (action === 'restart') return restart(visit)
      const pending = pendings.read(visit.request, visit.browser)
      if (action === 'passkey' && deps.passkeys !== undefined) {
        await askForPasskey(visit, pending, { pages, passkeys: deps.passkeys })
        return 'answered'
      }
      if (action === 'passkey-answer' && deps.passkeys !== undefined) {
        return takePasskeyAnswer(visit, form, pending, deps.passkeys)
      }
      if (action !== 'factor' && action !== 'new-password') return 'unknown'
      const expected = action === 'factor' ? 'second-factor' : 'password-change'
      if (pending?.next !== expected) return restart(visit)
      return action === 'factor'
        ? takeFactor(visit, form, pending)
        : takeNewPassword(visit, form, pending)
    },
    async end(request, response) {
      const token = readCookie(request, cookieName)
      setCookie(response, cookieName, undefined, pages.cookies)
      const session = token ? await sessions.find(token) : undefined
      if (session !== undefined) await deps.endSession(session.id)
      return session
    },
  }
}
