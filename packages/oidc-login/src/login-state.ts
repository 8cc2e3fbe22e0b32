import type { Sealer } from '@scopegate/secrets'
import { LoginRefused } from './login-refused.ts'
import { isOwnPath } from './return-to.ts'

/** Time to finish a sign-in. RFC 9700 §4.7: bound to the browser, and short. */
export const LOGIN_STATE_SECONDS = 600

/** What a sign-in needs when it comes back; sealed in a cookie of the browser that started it. */
export interface LoginState {
  readonly provider: string
  /** The `state` of the request. */
  readonly id: string
  readonly nonce: string
  readonly codeVerifier: string
  /** A path of this server. */
  readonly returnTo: string
  readonly maxAgeSeconds?: number
  /** Epoch seconds: the user was to sign in after this, anew. */
  readonly freshAfter?: number
  /** Epoch seconds. */
  readonly expiresAt: number
}

const CONTEXT = 'upstream-login-state'

export function sealLoginState(state: LoginState, sealer: Sealer): string {
  return sealer.seal(JSON.stringify(state), CONTEXT)
}

/**
 * The state that a cookie holds.
 *
 * @throws {LoginRefused} when there is none, it was altered, or its time is over.
 */
export function openLoginState(
  sealed: string | undefined,
  sealer: Sealer,
  now: number,
): LoginState {
  if (sealed === undefined || sealed === '') throw new LoginRefused('state_missing')
  let state: LoginState
  try {
    state = JSON.parse(sealer.unseal(sealed, CONTEXT).toString('utf8')) as LoginState
  } catch (cause) {
    throw new LoginRefused('state_unreadable', { cause })
  }
  // It was sealed here, so it has its form; a path is judged again all the same, since it is followed.
  const returnTo = isOwnPath(state.returnTo) ? state.returnTo : '/'
  if (now >= state.expiresAt) {
    throw new LoginRefused('state_expired', {
      provider: state.provider,
      returnTo,
      expected: `an answer within ${LOGIN_STATE_SECONDS} s`,
      got: `one ${now - state.expiresAt} s later`,
    })
  }
  return { ...state, returnTo }
}
