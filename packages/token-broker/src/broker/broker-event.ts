import type { ConnectionToken, TokenFailure } from '@scopegate/oauth-model'

/** Why a token was fetched. */
export type RenewalTrigger =
  | 'cold'
  | 'due'
  | 'overdue'
  | 'expired'
  | 'rejected'
  | 'demanded'
  | 'keep-alive'

/** What operators may want to know; nothing in it is secret. */
export type BrokerEvent =
  | {
      readonly kind: 'fetched'
      readonly connection: string
      readonly trigger: RenewalTrigger
      readonly durationMs: number
      /** Of the token. */
      readonly lifeSeconds: number
      readonly fingerprint: string
      readonly warnings: readonly string[]
    }
  /** An attempt failed. `validSeconds`: a token still lives that long, so no caller noticed. */
  | {
      readonly kind: 'refresh_failed'
      readonly connection: string
      readonly trigger: RenewalTrigger
      readonly failure: TokenFailure
      readonly validSeconds: number
    }
  | {
      readonly kind: 'fetch_failed'
      readonly connection: string
      readonly trigger: RenewalTrigger
      readonly failure: TokenFailure
    }
  /** Nobody asks before `waitSeconds` are over, or something here changes. */
  | {
      readonly kind: 'circuit_opened'
      readonly connection: string
      readonly failure: TokenFailure
      readonly waitSeconds: number
    }
  | { readonly kind: 'circuit_closed'; readonly connection: string }
  | { readonly kind: 'signed_out'; readonly connection: string; readonly failure: TokenFailure }
  /** The newest secret was refused, an older one accepted. */
  | { readonly kind: 'credential_fallback'; readonly connection: string }
  /** A resource refused a token. `renewed`: false if that came too often to believe. */
  | {
      readonly kind: 'rejected'
      readonly connection: string
      readonly fingerprint: string
      readonly renewed: boolean
    }
  /** An answer came after its lease was lost; it was not used. */
  | { readonly kind: 'late_answer_ignored'; readonly connection: string }
  /** Tokens go on in this process alone; refresh tokens cannot be used. */
  | { readonly kind: 'store_unavailable'; readonly connection: string; readonly error: unknown }

export type OnBrokerEvent = (event: BrokerEvent) => void

export type TokenFingerprint = ConnectionToken['fingerprint']
