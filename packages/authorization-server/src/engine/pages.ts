import type { TokenRequestCheck } from '@scopegate/checks'
import { escapeHtml } from '@scopegate/http'
import type { KoaContextWithOIDC } from 'oidc-provider'

/** What an error page may say. */
export interface ErrorFacts {
  readonly status: number
  /** The OAuth error code. */
  readonly error: string
  /** What to do, in words that hold nothing secret. */
  readonly description: string
  readonly correlationId: string
  readonly checks: readonly TokenRequestCheck[]
  readonly clientId?: string
}

/** A user code that was not taken; `name` is that of the engine's error. */
export interface UserCodeProblem {
  readonly name: string
  readonly message: string
}

/**
 * The pages that the engine shows. Each sets `ctx.body` and the headers of a page; `form` is the
 * HTML of a form with its hidden fields and without buttons.
 */
export interface EnginePages {
  renderErrorPage(ctx: KoaContextWithOIDC, facts: ErrorFacts): void | Promise<void>
  /** "Sign out?" The form is `op.logoutForm`; a button `name="logout" value="yes"` means yes. */
  renderLogoutPage(ctx: KoaContextWithOIDC, form: string): void | Promise<void>
  renderLoggedOutPage(ctx: KoaContextWithOIDC): void | Promise<void>
  /** May answer with a page where a form's answer would redirect to an app: see `leaveByPage`. */
  leave?(ctx: KoaContextWithOIDC): void
  /** The form is `op.deviceInputForm`, with a field `user_code`. */
  renderUserCodePage(
    ctx: KoaContextWithOIDC,
    form: string,
    problem: UserCodeProblem | undefined,
  ): void | Promise<void>
  /** The form is `op.deviceConfirmForm`; a button `name="abort" value="yes"` stops. */
  renderUserCodeConfirmPage(
    ctx: KoaContextWithOIDC,
    form: string,
    device: { readonly clientName: string; readonly userCode: string; readonly userAgent?: string },
  ): void | Promise<void>
  renderDeviceDonePage(ctx: KoaContextWithOIDC): void | Promise<void>
}

/** Pages without looks, for a server that is given none. */
export const PLAIN_PAGES: EnginePages = {
  renderErrorPage: (ctx, { error, description, correlationId }) =>
    page(
      ctx,
      'Something went wrong',
      `<p>${escapeHtml(`${error}: ${description}`)}</p>
      <p>${escapeHtml(correlationId)}</p>`,
    ),
  renderLogoutPage: (ctx, form) =>
    page(
      ctx,
      'Sign out?',
      `${form}
      <button form="op.logoutForm" name="logout" value="yes">Sign out</button>
      <button form="op.logoutForm">Stay signed in</button>`,
    ),
  renderLoggedOutPage: (ctx) => page(ctx, 'You are signed out', ''),
  renderUserCodePage: (ctx, form, problem) =>
    page(
      ctx,
      'Enter the code of your device',
      `<p>${escapeHtml(problem?.message ?? '')}</p>${form}
      <button form="op.deviceInputForm">Continue</button>`,
    ),
  renderUserCodeConfirmPage: (ctx, form, { clientName, userCode }) =>
    page(
      ctx,
      'Is this the code on your device?',
      `<p>${escapeHtml(`${clientName}: ${userCode}`)}</p>
      ${form}<button form="op.deviceConfirmForm">Continue</button>
      <button form="op.deviceConfirmForm" name="abort" value="yes">Stop</button>`,
    ),
  renderDeviceDonePage: (ctx) => page(ctx, 'Done: go back to your device', ''),
}

function page(ctx: KoaContextWithOIDC, title: string, body: string): void {
  ctx.type = 'html'
  ctx.body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<main><h1>${escapeHtml(title)}</h1>${body}</main></html>`
}
