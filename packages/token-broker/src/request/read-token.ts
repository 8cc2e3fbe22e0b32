import type { ConnectionGrant } from '../connection.ts'
import type { FetchedToken } from '../token-request.ts'
import type { TokenWarning } from './token-warning.ts'

export interface ReadTokenOptions {
  readonly asked: readonly string[]
  readonly grant: ConnectionGrant
  /** A proof was sent with the request. */
  readonly dpop: boolean
}

export type ReadToken =
  | {
      readonly kind: 'token'
      readonly token: Omit<FetchedToken, 'warnings'>
      readonly warnings: readonly TokenWarning[]
    }
  | {
      readonly kind: 'unusable'
      readonly finding: 'access_token_missing' | 'token_type_unsupported' | 'answer_malformed'
      readonly got: string
    }

const TEN_YEARS_SECONDS = 315_360_000
/** Types whose tokens are no use without something that only their owner has. */
const NOT_BEARER = new Set(['mac', 'pop', 'hok', 'n_a', 'signed_jwt', 'gnap'])
/** What may stand in a header behind `Bearer`. Wider than RFC 6750's b64token, and no way out of it. */
const HEADER_SAFE = /^[\x21-\x7e]+$/

/**
 * A token answer, read as leniently as is safe: what is odd becomes a warning. An `id_token` is left
 * aside. Lifetimes are as the provider says; nothing is made up here.
 *
 * @see RFC 6749 §5.1: "The client MUST ignore unrecognized value names in the response."
 */
export function readToken(
  body: Readonly<Record<string, unknown>>,
  { asked, grant, dpop }: ReadTokenOptions,
): ReadToken {
  const warnings: TokenWarning[] = []
  const { access_token: accessToken } = body
  if (typeof accessToken !== 'string' || accessToken === '') {
    return { kind: 'unusable', finding: 'access_token_missing', got: kindOf(accessToken) }
  }
  if (!HEADER_SAFE.test(accessToken)) {
    const got = 'an `access_token` with characters that no header can carry'
    return { kind: 'unusable', finding: 'answer_malformed', got }
  }
  const type = typeOf(body.token_type, dpop, warnings)
  if (type === undefined) {
    const got = textOf(body.token_type).slice(0, 40)
    return { kind: 'unusable', finding: 'token_type_unsupported', got }
  }
  const hasUser =
    grant === 'authorization_code' || grant === 'device_code' || grant === 'refresh_token'
  if (body.id_token !== undefined && body.id_token !== null && !hasUser) {
    warnings.push('unexpected_id_token_ignored')
  }
  const signedInAs =
    grant === 'authorization_code' || grant === 'device_code' ? nameIn(body.id_token) : undefined
  const expiresInSeconds = lifetimeOf(body, warnings)
  const refreshInSeconds = secondsOf(body.refresh_in)
  const refreshToken = refreshTokenOf(body.refresh_token, warnings)
  const refreshExpires = secondsOf(body.refresh_expires_in ?? body.refresh_token_expires_in)
  const jwtExpiresAt = jwtExpiryOf(accessToken)
  return {
    kind: 'token',
    warnings,
    token: {
      accessToken,
      type,
      scopes: scopesOf(body.scope, asked, warnings),
      ...(expiresInSeconds !== undefined && { expiresInSeconds }),
      ...(jwtExpiresAt !== undefined && { jwtExpiresAt }),
      ...(refreshInSeconds !== undefined && { refreshInSeconds }),
      ...(refreshToken !== undefined && { refreshToken }),
      ...(signedInAs !== undefined && { signedInAs }),
      // Keycloak's 0 means: with the session.
      ...(refreshExpires !== undefined && { refreshExpiresInSeconds: refreshExpires }),
    },
  }
}

function typeOf(
  value: unknown,
  dpop: boolean,
  warnings: TokenWarning[],
): FetchedToken['type'] | undefined {
  if (value === undefined || value === null || value === '') {
    warnings.push('token_type_missing')
    return bearer(dpop, warnings)
  }
  const name = textOf(value).trim().toLowerCase()
  if (name === 'dpop') return dpop ? 'DPoP' : undefined
  if (NOT_BEARER.has(name)) return undefined
  if (name !== 'bearer') warnings.push('token_type_unusual')
  return bearer(dpop, warnings)
}

/** Not all that JSON holds can be made text: `{ "toString": 1 }`. */
function textOf(value: unknown): string {
  return typeof value === 'object' ? 'not text' : String(value)
}

function bearer(dpop: boolean, warnings: TokenWarning[]): 'Bearer' {
  if (dpop) warnings.push('dpop_not_bound')
  return 'Bearer'
}

function lifetimeOf(
  body: Readonly<Record<string, unknown>>,
  warnings: TokenWarning[],
): number | undefined {
  const { expires_in: value } = body
  if (value === undefined || value === null || value === '') {
    warnings.push('expires_in_missing')
    return undefined
  }
  if (typeof value === 'string') warnings.push('expires_in_text')
  const seconds = secondsOf(value)
  if (seconds === undefined) {
    warnings.push('expires_in_unusable')
    return undefined
  }
  if (seconds >= TEN_YEARS_SECONDS) warnings.push('expires_in_very_long')
  return seconds
}

/** A number of seconds above 0, as number or text. */
function secondsOf(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value.trim() : value
  if (typeof text !== 'number' && !(typeof text === 'string' && /^\d{1,15}(\.\d+)?$/.test(text))) {
    return undefined
  }
  const seconds = Math.floor(Number(text))
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined
}

function refreshTokenOf(value: unknown, warnings: TokenWarning[]): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  warnings.push('refresh_token_unusable')
  return undefined
}

/** Absent means: as asked. @see RFC 6749 §5.1 */
function scopesOf(
  value: unknown,
  asked: readonly string[],
  warnings: TokenWarning[],
): readonly string[] {
  if (value === undefined || value === null) return asked
  if (typeof value === 'string') return unique(value.split(/\s+/))
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) {
    warnings.push('scope_as_list')
    return unique(value.flatMap((each) => each.split(/\s+/)))
  }
  warnings.push('scope_unusable')
  return asked
}

function unique(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.filter((scope) => scope !== ''))]
}

/** Only to know when it ends: whether it is genuine is the resource's business. */
function jwtExpiryOf(token: string): number | undefined {
  const exp = claimsOf(token)?.exp
  return typeof exp === 'number' && Number.isFinite(exp) && exp > 0 ? Math.floor(exp) : undefined
}

/** What to call the user; nothing is decided by it. */
function nameIn(idToken: unknown): string | undefined {
  const claims = typeof idToken === 'string' ? claimsOf(idToken) : undefined
  const name = claims?.preferred_username ?? claims?.email ?? claims?.sub
  return typeof name === 'string' ? name.replace(/\p{Cc}/gu, ' ').slice(0, 200) : undefined
}

function claimsOf(jwt: string): Readonly<Record<string, unknown>> | undefined {
  const [, claims, ...rest] = jwt.split('.')
  if (claims === undefined || rest.length !== 1) return undefined
  try {
    const value = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'no `access_token`'
  if (value === null) return '`access_token: null`'
  if (value === '') return 'an empty `access_token`'
  return `an \`access_token\` that is ${Array.isArray(value) ? 'a list' : `of type ${typeof value}`}`
}
