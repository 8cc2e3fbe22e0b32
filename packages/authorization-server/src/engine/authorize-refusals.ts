import { redactText } from '@scopegate/checks'
import { storageProblem } from '@scopegate/storage'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type EngineError, refusalReason } from '../token/refusal-reason.ts'
import { describable, refusalChecks, type TokenRefusal } from '../token/token-refusal.ts'
import type { RequestState } from './engine-deps.ts'
import { ROUTES } from './routes.ts'

/**
 * Reports what was refused where a browser is, whether it gets a page or is sent back to the app.
 * Leaves the refusal in the state for the page.
 */
export function createAuthorizeRefusals(on: {
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly onTokenRefused?: ((refusal: TokenRefusal) => void) | undefined
}): (ctx: KoaContextWithOIDC, error: EngineError) => void {
  return (ctx, error) => {
    const state = ctx.state as RequestState
    const known =
      storageProblem(error) === undefined
        ? refusalReason(error, undefined)
        : { code: 'storage_unavailable' as const }
    const text =
      known.code === 'server_error'
        ? `the server failed; its log has the reason under ${state.correlationId}`
        : (known.told ?? error.error_description ?? error.error ?? '')
    const clientId = ctx.oidc.client?.clientId
    state.refusal = {
      correlationId: state.correlationId,
      path: publicPath(ctx.path),
      atMs: state.startedMs,
      durationMs: on.nowMs() - state.startedMs,
      method: ctx.method,
      status: error.statusCode ?? 500,
      error: error.error ?? 'server_error',
      description: describable(redactText(text)),
      code: known.code,
      ...(clientId === undefined ? {} : { clientId }),
      address: state.address,
      checks: refusalChecks(known),
    }
    on.onTokenRefused?.(state.refusal)
  }
}

/** Without the id of an interaction, which is also the value of its cookie. */
function publicPath(path: string): string {
  const base = [ROUTES.authorization, ROUTES.code_verification].find((route) =>
    path.startsWith(`${route}/`),
  )
  return base ?? path
}
