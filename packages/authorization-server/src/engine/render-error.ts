import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider'
import type { RequestState } from './engine-deps.ts'
import type { EnginePages } from './pages.ts'

/** Where a browser is, and a page is what it can show. */
export const BROWSER_ROUTES: ReadonlySet<string> = new Set([
  'authorization',
  'resume',
  'end_session',
  'end_session_confirm',
  'end_session_success',
  'code_verification',
  'device_resume',
])

/** A page for people, JSON for programs. What was refused was reported before, see `refusals.ts`. */
export async function renderError(
  ctx: KoaContextWithOIDC,
  out: ErrorOut,
  _error: Error,
  pages: EnginePages,
): Promise<void> {
  const { correlationId, refusal } = ctx.state as RequestState
  if (!BROWSER_ROUTES.has(ctx.oidc.route)) {
    ctx.type = 'json'
    ctx.body = out
    return
  }
  await pages.renderErrorPage(ctx, {
    status: ctx.status,
    error: refusal?.error ?? out.error,
    description: refusal?.description ?? out.error_description ?? '',
    correlationId,
    checks: (refusal?.checks ?? []) as never,
    ...(refusal?.clientId === undefined ? {} : { clientId: refusal.clientId }),
  })
}
