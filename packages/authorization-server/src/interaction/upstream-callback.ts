import type { IncomingMessage } from 'node:http'
import type { Users } from '@scopegate/identity'
import { LoginRefused, type UpstreamLogins } from '@scopegate/oidc-login'
import type { AccountEvent } from '../account/create-account.ts'
import type { Controller } from '../controller.ts'
import type { Pages } from '../pages/create-pages.ts'
import { errorPage } from '../pages/error-page.ts'
import type { SignIn } from './sign-in.ts'

const PREFIX = '/oauth/login/'

/** Where a provider sends the browser back to; its redirect URI is the issuer followed by this. */
export function upstreamCallbackPath(provider: string): string {
  return `${PREFIX}${encodeURIComponent(provider)}/callback`
}

export interface UpstreamCallbackDeps {
  readonly issuer: string
  readonly upstreamLogins: Pick<UpstreamLogins, 'list' | 'complete'>
  readonly users: Pick<Users, 'linkUpstream'>
  readonly signIn: SignIn
  readonly pages: Pages
  readonly correlationId: (request: IncomingMessage) => string
  readonly onEvent?: (event: AccountEvent) => void
  /** Signs in there that were refused, with the check that failed. */
  readonly onError?: (error: unknown, correlationId: string) => void
}

/** Finishes sign-ins at upstream providers: the answer is judged, and a session of ours begins. */
export function createUpstreamCallback(deps: UpstreamCallbackDeps): Controller {
  const { pages, signIn, upstreamLogins } = deps
  return {
    routes: [`${PREFIX}*`],
    owns: (path) => path.startsWith(PREFIX),
    async handle(request, response) {
      const correlationId = deps.correlationId(request)
      const url = new URL(request.url ?? '', deps.issuer)
      const state = signIn.takeUpstream(request, response)
      const provider = upstreamLogins
        .list()
        .find(({ name }) => upstreamCallbackPath(name) === url.pathname)
      try {
        if (provider === undefined) throw new LoginRefused('provider_unknown')
        const login = await upstreamLogins.complete(provider.name, url, state)
        const linked = await deps.users.linkUpstream(login)
        if (linked.kind === 'refused') {
          const why = 'why' in linked ? `: ${linked.why}` : ''
          throw new Error(`upstream user refused: ${linked.reason}${why}`)
        }
        const { amr } = login.authentication
        const userId = linked.user.id
        await signIn.begin(request, response, {
          userId,
          amr,
          upstream: {
            issuer: login.issuer,
            subject: login.subject,
            ...(login.upstreamSessionId === undefined ? {} : { sid: login.upstreamSessionId }),
          },
        })
        deps.onEvent?.({ kind: 'signed-in', correlationId, userId, amr, issuer: login.issuer })
        pages.redirect(response, login.returnTo)
      } catch (error) {
        deps.onError?.(error, correlationId)
        const frame = pages.frame(request)
        const { words: t } = frame
        const whatFailed = t('signIn.upstreamFailed', { provider: provider?.label ?? '?' })
        const view = { kind: 'request', code: 'login_failed', whatFailed, correlationId } as const
        pages.send(response, errorPage(frame, view), statusOf(error))
      }
    },
  }
}

function statusOf(error: unknown): number {
  return error instanceof LoginRefused ? error.status : 403
}
