import type { KoaContextWithOIDC } from 'oidc-provider'
import type { EnginePages } from '../engine/pages.ts'
import { ACCOUNT_PATHS } from './account-pages.ts'
import type { Pages } from './create-pages.ts'
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from './device-pages.ts'
import { errorPage } from './error-page.ts'
import { finishPage } from './finish-page.ts'
import type { PageFrame } from './layout.ts'
import { loggedOutPage, logOutPage } from './logged-out-page.ts'

/** The pages that the engine shows by itself, in our looks. */
export function createEnginePages(pages: Pages): EnginePages {
  function draw(ctx: KoaContextWithOIDC, page: (frame: PageFrame) => string): void {
    const asked = ctx.oidc?.params?.ui_locales
    const uiLocales = typeof asked === 'string' ? asked : undefined
    ctx.set(pages.headers as Record<string, string>)
    ctx.body = page(pages.frame(ctx.req, { uiLocales }))
  }

  return {
    renderErrorPage(ctx, { status, error, description, correlationId, checks }) {
      const failed = checks.find(({ outcome }) => outcome === 'fail')
      draw(ctx, (frame) =>
        errorPage(frame, {
          // What the engine lost was ours: a cookie, or the time to finish.
          kind:
            status >= 500
              ? 'server'
              : error !== 'invalid_client' && /session.* not found|expired/i.test(description)
                ? 'expired'
                : 'request',
          code: error,
          correlationId,
          ...(status >= 500 ? {} : { whatFailed: description }),
          ...(failed?.fix === undefined ? {} : { whatToDo: failed.fix }),
        }),
      )
      ctx.status = status
    },

    renderLogoutPage(ctx) {
      const appName = ctx.oidc.client?.clientName
      draw(ctx, (frame) =>
        logOutPage(frame, {
          action: pathOf(ctx, 'end_session_confirm'),
          fields: { xsrf: secretOf(ctx) },
          yes: ['logout', 'yes'],
          ...(appName === undefined ? {} : { appName }),
        }),
      )
    },

    renderLoggedOutPage: (ctx) =>
      draw(ctx, (frame) => loggedOutPage(frame, { signInHref: ACCOUNT_PATHS.login })),

    leave: (ctx) => leaveByPage(ctx, pages),

    renderUserCodePage(ctx, _form, problem) {
      if (problem?.name === 'AbortedError') {
        return draw(ctx, (frame) => deviceDonePage(frame, { kind: 'aborted', appName: '' }))
      }
      const { user_code: userCode } = ctx.oidc.params ?? {}
      draw(ctx, (frame) => {
        const told = problem === undefined ? undefined : userCodeProblem(frame, problem.name)
        return deviceCodePage(frame, {
          action: pathOf(ctx, 'code_verification'),
          xsrf: secretOf(ctx),
          ...(typeof userCode === 'string' ? { userCode } : {}),
          ...(told === undefined ? {} : { problem: told }),
        })
      })
    },

    renderUserCodeConfirmPage: (ctx, _form, { clientName, userCode }) =>
      draw(ctx, (frame) =>
        deviceConfirmPage(frame, {
          action: pathOf(ctx, 'code_verification'),
          xsrf: secretOf(ctx),
          appName: clientName,
          userCode,
        }),
      ),

    renderDeviceDonePage: (ctx) =>
      draw(ctx, (frame) =>
        deviceDonePage(frame, {
          kind: 'done',
          appName: ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId ?? '',
        }),
      ),
  }
}

/**
 * Makes a page of the redirect that answers the form of a sign-out, where it leads to an app:
 * `form-action 'self'` would keep the browser here.
 */
function leaveByPage(ctx: KoaContextWithOIDC, pages: Pages): void {
  const location = ctx.response.get('Location')
  if (ctx.oidc?.route !== 'end_session_confirm' || location === '') return
  if (!URL.canParse(location) || new URL(location).origin === ctx.oidc.issuer) return
  const appName = ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId ?? new URL(location).host
  ctx.remove('Location')
  ctx.status = 200
  ctx.set(pages.headers as Record<string, string>)
  ctx.body = finishPage(pages.frame(ctx.req), { appName, href: location })
}

function userCodeProblem({ words: t }: PageFrame, name: string): string {
  if (name === 'ExpiredError') return t('device.expired')
  if (name === 'AlreadyUsedError') return t('device.used')
  return t('device.refused')
}

function pathOf(ctx: KoaContextWithOIDC, route: string): string {
  return new URL(ctx.oidc.urlFor(route)).pathname
}

/** The engine's own protection of its forms, kept in its session. */
function secretOf(ctx: KoaContextWithOIDC): string {
  const state = ctx.oidc.session?.state as { secret?: string } | undefined
  return state?.secret ?? ''
}
