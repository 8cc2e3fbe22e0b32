import type { ConnectionStatus, TokenFailure } from '@scopegate/oauth-model'
import type { ConnectionView } from '../connection-ports.ts'

/** Named member by member: a port that says too much shows no more. */
export function connectionJson(view: ConnectionView, nowMs: number): Record<string, unknown> {
  const { status, certificateExpiresAt, issuer, tokenEndpoint, audience } = view
  return {
    name: view.name,
    preset: view.preset,
    grant: view.grant,
    clientId: view.clientId,
    authentication: view.authentication,
    ...(issuer !== undefined && { issuer }),
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...(audience !== undefined && { audience }),
    ...(view.upstream !== undefined && { upstream: view.upstream }),
    askedScopes: view.scopes,
    callers: view.callers,
    canSignIn: view.canSignIn,
    ...(certificateExpiresAt !== undefined && { certificateExpiresAt }),
    ...statusJson(status, nowMs),
  }
}

function statusJson(status: ConnectionStatus, nowMs: number): Record<string, unknown> {
  const { expiresAt, renewAt, nextAttemptAt, lastFetchedAt, lastFailure, scopes } = status
  return {
    state: status.state,
    ...(expiresAt !== undefined && {
      expiresAt,
      expiresInSeconds: Math.floor(expiresAt - nowMs / 1000),
    }),
    ...(renewAt !== undefined && { renewAt }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    ...(lastFetchedAt !== undefined && { lastFetchedAt }),
    ...(scopes !== undefined && { scopes }),
    warnings: status.warnings,
    ...(lastFailure !== undefined && {
      lastFailure: { at: lastFailure.at, ...failureJson(lastFailure) },
    }),
    hits: status.hits,
    fetches: status.fetches,
    failures: status.failures,
    waiting: status.waiting,
  }
}

/** The row of the catalogue, and what the provider said. */
export function failureJson(failure: TokenFailure): Record<string, unknown> {
  const { kind, code, cause, fix, provider, wasSent } = failure
  return { kind, code, cause, fix, wasSent, ...(provider !== undefined && { provider }) }
}
