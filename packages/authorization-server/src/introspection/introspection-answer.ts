import { LAUNCH_CONTEXT_MEMBERS } from '@scopegate/oauth-model'
import type { OwnToken } from '../own-endpoints/own-tokens.ts'

/** Who asks about a token. */
export interface IntrospectionCaller {
  readonly clientId: string
  /** It holds the scope `introspect`: it may ask about tokens of every client. */
  readonly mayAskForAll: boolean
}

/** Whether the caller may know of the token. A client may always know of its own. */
export function mayIntrospect(caller: IntrospectionCaller, token: OwnToken): boolean {
  return caller.mayAskForAll || caller.clientId === token.clientId
}

/** What is told of a token that is unknown, foreign, expired or revoked, or of which the caller may not know. */
export const INACTIVE = Object.freeze({ active: false })

/** Claims that are told as they are, beside those of the launch. */
const TOLD = ['scope', 'client_id', 'exp', 'iat', 'sub', 'iss', 'aud', 'jti', 'cnf', 'fhirUser']

/**
 * What is told of a good token: the scope and the launch context exactly as the token response had
 * them. `token_type` is of access tokens only.
 *
 * @see RFC 7662 §2.2; SMART 2.2, token-introspection
 */
export function introspectionAnswer({ kind, claims }: OwnToken): Record<string, unknown> {
  const told = [...TOLD, ...LAUNCH_CONTEXT_MEMBERS].filter((name) => claims[name] !== undefined)
  return {
    active: true,
    ...(kind === 'access' ? { token_type: claims.cnf === undefined ? 'Bearer' : 'DPoP' } : {}),
    ...Object.fromEntries(told.map((name) => [name, claims[name]])),
  }
}
