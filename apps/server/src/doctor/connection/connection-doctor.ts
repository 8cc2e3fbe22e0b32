import type { FailureKind, TokenFailure } from '@scopegate/oauth-model'
import type { Connection } from '@scopegate/token-broker'
import type { Finding, Told } from '../finding.ts'
import type { SidecarReach } from './examine-sidecar-path.ts'

/** A finding of a connection; a failed one says who is to blame. */
export interface Step extends Told {
  readonly code?: string
  readonly kind?: FailureKind
}

/** A token that was got for the examination, or why none was. */
export type ExaminedToken =
  | {
      readonly kind: 'token'
      readonly accessToken: string
      readonly type: 'Bearer' | 'DPoP'
      readonly scopes: readonly string[]
      readonly expiresInSeconds?: number
      readonly warnings: readonly string[]
      /** The provider's clock minus ours. */
      readonly clockSkewSeconds?: number
      headers(request: {
        readonly method: string
        readonly url: string
        readonly dpopNonce?: string
      }): Promise<Readonly<Record<string, string>>>
    }
  | { readonly kind: 'failed'; readonly failure: TokenFailure; readonly clockSkewSeconds?: number }
  /** It may not be tried here, such as a refresh token that works once. */
  | { readonly kind: 'untried'; readonly why: string; readonly fix: string }

export interface ConnectionExamination {
  readonly connection: Connection
  /** Asks the provider, or the broker that runs. */
  readonly getToken: (signal: AbortSignal) => Promise<ExaminedToken>
  /** A resource to try the token at. It is sent there: whoever names it must be trusted. */
  readonly resourceUrl?: string
  /** Where the sidecar leads with it; missing: nowhere. */
  readonly sidecar?: SidecarReach
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly nowMs: () => number
  /** Its key is kept by a running server, so it is not looked at here. */
  readonly keyIsElsewhere?: boolean
  /** Of each step. */
  readonly timeoutMs?: number
}

export interface ConnectionReport {
  readonly connection: string
  readonly outcome: 'pass' | 'warn' | 'fail'
  /** Of the first failure. */
  readonly kind?: FailureKind
  readonly findings: readonly Finding[]
}

/** What a failure of the catalogue is as a finding. */
export function failStep(check: string, { code, kind, cause, fix, provider }: TokenFailure): Step {
  const said = [provider?.error, provider?.description].filter((text) => text !== undefined)
  const ids = [
    ...(provider?.traceId === undefined ? [] : [`trace id ${provider.traceId}`]),
    ...(provider?.correlationId === undefined ? [] : [`correlation id ${provider.correlationId}`]),
  ]
  const quoted =
    said.length > 0
      ? ` – the provider says: ${said.join(': ').slice(0, 600)}`
      : provider?.excerpt === undefined
        ? ''
        : ` – the answer begins: ${provider.excerpt.slice(0, 200)}`
  const known = ids.length === 0 ? '' : ` (${ids.join(', ')})`
  return { check, outcome: 'fail', found: `${cause}${quoted}${known}`, fix, code, kind }
}
