import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PatientDirectory } from '@scopegate/oauth-model'
import type { UpstreamLogins } from '@scopegate/oidc-login'
import type { Provider } from 'oidc-provider'
import type { Client } from '../clients/client.ts'
import { isStillRegistered } from '../clients/redirect-uri.ts'
import type { Controller } from '../controller.ts'
import { INTERACTION_PATH } from '../engine/routes.ts'
import type { Grants } from '../grants/grants.ts'
import type { Launches } from '../launches/launches.ts'
import { isSameOrigin } from '../pages/browser.ts'
import { errorPage } from '../pages/error-page.ts'
import { type Form, readForm } from '../pages/read-form.ts'
import type { ProtectedResource } from '../resources.ts'
import { takeConsent } from './consent-step.ts'
import { takeEncounter, takePatient } from './context-steps.ts'
import { finish, refuse } from './finish.ts'
import { type InteractionState, isFinished, readState, saveState } from './interaction-state.ts'
import { nextStep } from './next-step.ts'
import { showStep } from './show-step.ts'
import type { SignIn, SignInDeps } from './sign-in.ts'
import { eventOf, signInVisit, textParam, type Visit } from './visit.ts'

export interface InteractionDeps {
  readonly engine: () => Provider
  readonly signIn: SignIn
  readonly pages: SignInDeps['pages']
  readonly grants: Pick<Grants, 'create' | 'remembered'>
  readonly launches: Pick<Launches, 'redeem'>
  readonly directory: PatientDirectory
  readonly findClient: (clientId: string) => Promise<Client | undefined>
  /** The API that a request is for, from its `resource` or `aud`; as grants and tokens spell it. */
  readonly resourceOf: (params: Readonly<Record<string, unknown>>) => string
  readonly protectedResourceOf: (params: Readonly<Record<string, unknown>>) => ProtectedResource
  readonly apiScopeTitle: (scope: string) => string | undefined
  readonly upstreamLogins?: Pick<UpstreamLogins, 'list' | 'begin'>
  /** Take launches that a launcher wrote itself, which nothing proves. */
  readonly foreignLaunches?: boolean
  readonly accessTokenSeconds: number
  /** How long access by `offline_access` lasts after its last use; missing: until it is revoked. */
  readonly offlineSeconds?: number
  readonly nowMs: () => number
  readonly correlationId: (request: IncomingMessage) => string
  readonly onEvent?: (event: InteractionEvent) => void
  readonly onError?: (error: unknown, correlationId: string) => void
}

/** What is worth an audit entry. Never with a password, a code or a name. */
export interface InteractionEvent {
  readonly kind: 'signed-in' | 'sign-in-refused' | 'granted' | 'denied' | 'launch-refused'
  readonly correlationId: string
  readonly clientId: string
  readonly userId?: string
  readonly patient?: string
  readonly scopes?: readonly string[]
  /** Why it was refused. */
  readonly reason?: string
  /** Allowed without a page: by the operator, or as remembered. */
  readonly unasked?: 'skip' | 'remembered'
}

/**
 * All steps between an authorization request and its answer, as pages: sign-in, patient, encounter,
 * consent. What is next follows from what is known, so that a page may be loaded again, left by the
 * back button or opened twice; a form decides nothing but its own step.
 */
export function createInteraction(deps: InteractionDeps): Controller {
  const { pages, signIn } = deps

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const [uid = '', action = '', name = '', ...rest] = path
      .slice(INTERACTION_PATH.length + 1)
      .split('/')
    const post = request.method === 'POST'
    if (rest.length > 0 || !(post || request.method === 'GET')) {
      return expired(request, response, 404)
    }
    const visit = await open(uid, request, response)
    if (visit === undefined) return expired(request, response)
    if (isFinished(visit.details)) return finish(visit)
    if (!post) {
      if (action === 'upstream') return beginUpstream(visit, name)
      if (action !== '') return pages.redirect(response, visit.base)
      return advance(visit)
    }
    await keepState(visit)
    const form = await readForm(request)
    visit.state.posted = true
    if (!isSameOrigin(request) || !visit.browser.isCsrf(visit.uid, form.one('csrf'))) {
      const problem = visit.frame.words('common.staleForm')
      return showStep(visit, await nextStep(visit), { problem, status: 403 })
    }
    return take(visit, action, form)
  }

  /** The interaction of this browser, or nothing: another browser learns no more than that. */
  async function open(
    uid: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Visit | undefined> {
    const details = await findInteraction(deps.engine(), request, response)
    if (details === undefined || details.uid !== uid) return undefined
    const client = await deps.findClient(String(details.params.client_id))
    if (client === undefined || client.disabled) return undefined
    const redirectUri = textParam(details, 'redirect_uri')
    // An address may be taken away while a user decides: it must get no code any more.
    if (redirectUri !== undefined && !isStillRegistered(redirectUri, client.redirectUris)) {
      return undefined
    }
    const browser = pages.browser(request, response)
    const known = readState(details)
    const state: InteractionState = known ?? { browser: browser.id }
    if (state.browser !== browser.id) return undefined
    const signedIn = await signIn.current(request)
    const uiLocales = textParam(details, 'ui_locales')
    const visit: Visit = {
      deps,
      request,
      response,
      details,
      uid,
      base: `${INTERACTION_PATH}/${uid}`,
      client,
      browser,
      csrf: browser.csrf(uid),
      state,
      frame: pages.frame(request, { uiLocales, userLocale: signedIn?.user.locale }),
      ...(signedIn === undefined ? {} : { signedIn }),
      correlationId: deps.correlationId(request),
    }
    if (known === undefined && signedIn !== undefined && asksNewSignIn(visit)) {
      state.staleSessionId = signedIn.session.id
    }
    return visit
  }

  async function advance(visit: Visit): Promise<void> {
    const step = await nextStep(visit)
    await keepState(visit)
    return showStep(visit, step)
  }

  /** Binds an interaction that no browser has seen yet to this one, before anything is shown. */
  async function keepState({ details, state }: Visit): Promise<void> {
    if (readState(details) === undefined) await saveState(details, state)
  }

  async function take(visit: Visit, action: string, form: Form): Promise<void> {
    const { response, base, details, state } = visit
    if (action === 'cancel') {
      deps.onEvent?.({ ...eventOf(visit), kind: 'denied', reason: 'cancelled' })
      return refuse(visit, 'access_denied', 'the user cancelled')
    }
    if (action === 'switch') {
      await signIn.end(visit.request, response)
      await saveState(details, { browser: state.browser, posted: true })
      return pages.redirect(response, base)
    }
    const came = await signIn.take(signInVisit(visit), action, form)
    if (came === 'answered') return
    const step = came === 'signed-in' ? undefined : await nextStep(visit)
    if (action === 'change-patient') {
      const { patient: _, encounter: __, ...rest } = state
      await saveState(details, rest)
    } else if (step !== undefined && /^patients?$/.test(action)) {
      if (await takePatient(visit, step, action, form)) return
    } else if (step !== undefined && /^encounters?$/.test(action)) {
      if (await takeEncounter(visit, step, action, form)) return
    } else if (step?.kind === 'consent' && action === 'consent') {
      return takeConsent(visit, step, form)
    } else {
      await saveState(details, state)
    }
    pages.redirect(response, base)
  }

  async function beginUpstream(visit: Visit, name: string): Promise<void> {
    const { response, details, base, frame } = visit
    const provider = deps.upstreamLogins?.list().find((each) => each.name === name)
    if (provider === undefined) return pages.redirect(response, base)
    await keepState(visit)
    const maxAge = Number(details.params.max_age)
    const loginHint = textParam(details, 'login_hint')
    try {
      const begun = await deps.upstreamLogins!.begin(name, {
        returnTo: base,
        ...(loginHint === undefined ? {} : { loginHint }),
        ...(asksNewSignIn(visit) ? { prompt: 'login' as const } : {}),
        ...(Number.isSafeInteger(maxAge) && maxAge > 0 ? { maxAgeSeconds: maxAge } : {}),
      })
      signIn.keepUpstream(response, begun.state, begun.maxAgeSeconds)
      pages.redirect(response, begun.redirectTo)
    } catch (error) {
      deps.onError?.(error, visit.correlationId)
      const problem = frame.words('signIn.upstreamFailed', { provider: provider.label })
      await signIn.show(signInVisit(visit), { problem, status: 502, fresh: true })
    }
  }

  function expired(request: IncomingMessage, response: ServerResponse, status = 400): void {
    const correlationId = deps.correlationId(request)
    pages.send(
      response,
      errorPage(pages.frame(request), { kind: 'expired', correlationId }),
      status,
    )
  }

  return {
    routes: [`${INTERACTION_PATH}/*`],
    owns: (path) => path.startsWith(`${INTERACTION_PATH}/`),
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

async function findInteraction(
  engine: Provider,
  request: IncomingMessage,
  response: ServerResponse,
) {
  try {
    return await engine.interactionDetails(request, response)
  } catch (error) {
    // No cookie, another browser's, over, or of a session that is no more.
    if ((error as Error).name === 'SessionNotFound') return undefined
    throw error
  }
}

/** `prompt=login`, or `max_age=0`, which means the same. @see OpenID Connect Core §3.1.2.1 */
function asksNewSignIn(visit: Visit): boolean {
  const { params } = visit.details
  return (
    (textParam(visit.details, 'prompt') ?? '').split(' ').includes('login') ||
    Number(params.max_age ?? 1) === 0
  )
}
