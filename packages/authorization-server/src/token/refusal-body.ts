import { type AnyCheck, type CallerDetail, tokenRequestView } from '@scopegate/checks'

export interface ToldRefusal {
  /** The OAuth error code. */
  readonly error: string
  /** The reason in words, as the client may read it. */
  readonly description: string
  readonly correlationId: string
  readonly checks: readonly AnyCheck[]
  /** Whether the client has shown who it is. */
  readonly isAuthenticated?: boolean
  /** How much callers may read; default `standard`. */
  readonly callers: CallerDetail | undefined
}

/** The body of a refusal. @see RFC 6749 §5.2: `error_description` is optional */
export function refusalBody(told: ToldRefusal): Readonly<Record<string, unknown>> {
  const { description, compared } = tokenRequestView(told.checks, {
    told: told.description,
    detail: told.callers ?? 'standard',
    isAuthenticated: told.isAuthenticated ?? false,
  })
  return {
    error: told.error,
    ...(description !== undefined && { error_description: description }),
    ...(compared !== undefined && { checked: compared }),
    correlation_id: told.correlationId,
  }
}
