import type { TraceSink } from '@scopegate/audit'
import type { LoginRefused } from '@scopegate/oidc-login'

/**
 * Keeps why a sign-in at another provider was refused, for `scopegate explain`, and says it in the
 * log. The refusal holds no token and nothing of the person.
 */
export function recordLoginRefusal(
  refusal: LoginRefused,
  to: {
    readonly correlationId: string
    readonly issuer: string
    readonly nowMs: () => number
    readonly traces: TraceSink
    readonly log: { warn(fields: object, text: string): void }
  },
): void {
  const { correlationId, issuer } = to
  const { reason, provider, expected, got, fix, status, checks, durationMs } = refusal
  to.log.warn({ correlationId, provider, reason, expected, got, fix }, 'sign-in elsewhere refused')
  const outcome = status >= 500 ? 'failed' : 'refused'
  to.traces.record(outcome, () => ({
    correlationId,
    atMs: to.nowMs(),
    endpoint: `${issuer}/oauth/login`,
    method: 'GET',
    path: provider === undefined ? '/oauth/login' : `/oauth/login/${provider}/callback`,
    status,
    outcome,
    durationMs,
    checks,
  }))
}
