import type { TokenFailure } from '@scopegate/oauth-model'
import type { TokenOutcome, TokenTarget } from '../token-request.ts'

/** Asks for what a user must agree to: once, to get a refresh token. */
export interface SignInRequester {
  /**
   * Where the user goes. `pending` is for {@link completeCode}, and secret: it holds the PKCE
   * verifier.
   */
  beginCode(target: TokenTarget, options: BeginCodeOptions): Promise<BegunCode>
  /** @param parameters of the address that the user came back to */
  completeCode(
    target: TokenTarget,
    pending: PendingCode,
    parameters: URLSearchParams,
    signal: AbortSignal,
  ): Promise<TokenOutcome>
  /** @see RFC 8628 */
  beginDevice(target: TokenTarget, signal: AbortSignal): Promise<BegunDevice>
  /** One poll; the caller waits `intervalSeconds` between two. */
  pollDevice(
    target: TokenTarget,
    pending: PendingDevice,
    signal: AbortSignal,
  ): Promise<TokenOutcome | { readonly kind: 'pending'; readonly intervalSeconds: number }>
}

export interface BeginCodeOptions {
  readonly redirectUri: string
  /** Comes back with the user; not guessable. */
  readonly state: string
  /** Default: made here. Given where it must come out of something sealed. */
  readonly codeVerifier?: string
  readonly signal: AbortSignal
}

export type BegunCode =
  | { readonly kind: 'begun'; readonly authorizationUrl: string; readonly pending: PendingCode }
  | { readonly kind: 'failed'; readonly failure: TokenFailure }

export interface PendingCode {
  readonly redirectUri: string
  readonly state: string
  readonly codeVerifier: string
}

export type BegunDevice =
  | {
      readonly kind: 'begun'
      readonly userCode: string
      readonly verificationUri: string
      readonly verificationUriComplete?: string
      readonly expiresInSeconds: number
      readonly pending: PendingDevice
    }
  | { readonly kind: 'failed'; readonly failure: TokenFailure }

export interface PendingDevice {
  /** Secret. */
  readonly deviceCode: string
  readonly intervalSeconds: number
}
