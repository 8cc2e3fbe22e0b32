import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Configuration } from 'openid-client'
import { shownText } from './login-refused.ts'
import {
  AddressRefused,
  createProviderFetch,
  type Fetch,
  ProviderUnreachable,
} from './provider-fetch.ts'
import { allowedTenants, type ResolvedProvider } from './upstream-provider.ts'
import type { UseOnce } from './used-once.ts'

/** Sessions that ended at the provider: that one, or, without `sessionId`, all of the subject. */
export interface EndedSession {
  readonly provider: string
  readonly issuer: string
  readonly subject?: string
  readonly sessionId?: string
}

export type LogoutTokenReason =
  | 'logout_token_malformed'
  | 'logout_token_signature'
  | 'logout_token_issuer'
  | 'logout_token_audience'
  | 'logout_token_times'
  | 'logout_token_claims'
  | 'logout_token_replayed'
  | 'provider_unavailable'

/** A logout token that is not followed. Answer 400, or 503 if the provider could not be asked. */
export class LogoutTokenRefused extends Error {
  override readonly name = 'LogoutTokenRefused'
  readonly reason: LogoutTokenReason
  readonly status: 400 | 503

  constructor(reason: LogoutTokenReason, message: string, options?: ErrorOptions) {
    super(`${reason}: ${message}`, options)
    this.reason = reason
    this.status = reason === 'provider_unavailable' ? 503 : 400
  }
}

export interface LogoutTokenDeps {
  readonly provider: ResolvedProvider
  readonly discover: () => Promise<Configuration>
  readonly useOnce: UseOnce
  readonly nowMs: () => number
  readonly fetch?: Fetch
  readonly timeoutMs?: number
  readonly clockToleranceSeconds?: number
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
/** Providers send it at once; an older one was kept by somebody. */
const MAX_AGE_SECONDS = 300

/** Judges logout tokens of one provider. @see OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6 */
export function createLogoutTokenVerifier(
  deps: LogoutTokenDeps,
): (token: string) => Promise<EndedSession> {
  const { provider, nowMs } = deps
  const tolerance = deps.clockToleranceSeconds ?? 30
  const timeoutMs = deps.timeoutMs ?? 10_000
  const fetchKeys = createProviderFetch({
    issuer: provider.issuer,
    timeoutMs,
    maxBytes: 256 * 1024,
    fetch: deps.fetch ?? ((url, init) => fetch(url, init)),
  })
  let keys:
    | { readonly url: string; readonly set: ReturnType<typeof createRemoteJWKSet> }
    | undefined

  function keysAt(url: string) {
    if (keys?.url !== url) {
      const options = {
        [customFetch]: (address: string, init: RequestInit) => fetchKeys(address, init),
        timeoutDuration: timeoutMs + 5000,
        cacheMaxAge: 300_000,
      }
      keys = { url, set: createRemoteJWKSet(new URL(url), options) }
    }
    return keys.set
  }

  return async (token) => {
    const metadata = await deps.discover().then(
      (configuration) => configuration.serverMetadata(),
      (cause: unknown) => {
        throw new LogoutTokenRefused('provider_unavailable', String(cause), { cause })
      },
    )
    const { payload, protectedHeader } = await jwtVerify(token, keysAt(metadata.jwks_uri ?? ''), {
      issuer: issuersOf(provider, metadata.issuer),
      audience: provider.clientId,
      algorithms: ALGORITHMS,
      requiredClaims: ['iat', 'jti', 'events'],
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: tolerance,
      currentDate: new Date(nowMs()),
    }).catch((cause: unknown) => {
      throw refusal(cause)
    })
    checkLogoutClaims(payload, protectedHeader.typ)

    const { iss = '', sub, sid, jti = '', iat = 0 } = payload
    const until = iat + MAX_AGE_SECONDS + 2 * tolerance
    if (!(await deps.useOnce(`logout-token:${iss} ${jti}`, until))) {
      throw new LogoutTokenRefused('logout_token_replayed', 'its `jti` was used before')
    }
    return {
      provider: provider.name,
      issuer: iss,
      ...(typeof sub === 'string' ? { subject: sub } : {}),
      ...(typeof sid === 'string' ? { sessionId: sid } : {}),
    }
  }
}

/** Entra's metadata for several directories names a template in place of the issuer. */
function issuersOf(provider: ResolvedProvider, issuer: string): string[] {
  if (!issuer.includes('{tenantid}')) return [issuer]
  return (allowedTenants(provider) ?? []).map((tenant) => issuer.replace('{tenantid}', tenant))
}

function checkLogoutClaims(payload: JWTPayload, typ: string | undefined): void {
  const refuse = (message: string) => new LogoutTokenRefused('logout_token_claims', message)
  const { events, sub, sid, jti, nonce } = payload
  // `typ` is only recommended; what says that it is something else is believed.
  if (typ !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ)) {
    throw refuse(`\`typ\` is \`${shownText(typ)}\`, expected \`logout+jwt\``)
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw refuse('`jti` is no text')
  if (nonce !== undefined) throw refuse('it has a `nonce`: an ID token is no logout token')
  const event = (events as Record<string, unknown> | null)?.[EVENT]
  if (typeof event !== 'object' || event === null) throw refuse(`\`events\` lacks \`${EVENT}\``)
  if (typeof sub !== 'string' && typeof sid !== 'string') {
    throw refuse('it names neither `sub` nor `sid`')
  }
}

const BY_CLAIM: Readonly<Record<string, LogoutTokenReason>> = {
  iss: 'logout_token_issuer',
  aud: 'logout_token_audience',
  iat: 'logout_token_times',
  exp: 'logout_token_times',
  nbf: 'logout_token_times',
}

function refusal(cause: unknown): unknown {
  const silent = cause instanceof Error ? [cause, cause.cause] : []
  if (
    silent.some((error) => error instanceof ProviderUnreachable || error instanceof AddressRefused)
  ) {
    return new LogoutTokenRefused('provider_unavailable', (cause as Error).message, { cause })
  }
  if (cause instanceof errors.JWTClaimValidationFailed || cause instanceof errors.JWTExpired) {
    const reason = BY_CLAIM[cause.claim] ?? 'logout_token_claims'
    return new LogoutTokenRefused(reason, cause.message)
  }
  if (
    cause instanceof errors.JWSSignatureVerificationFailed ||
    cause instanceof errors.JOSEAlgNotAllowed ||
    cause instanceof errors.JOSENotSupported ||
    cause instanceof errors.JWKSNoMatchingKey ||
    cause instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return new LogoutTokenRefused('logout_token_signature', cause.message)
  }
  if (cause instanceof errors.JWTInvalid || cause instanceof errors.JWSInvalid) {
    return new LogoutTokenRefused('logout_token_malformed', cause.message)
  }
  if (cause instanceof errors.JOSEError) {
    return new LogoutTokenRefused('provider_unavailable', cause.message, { cause })
  }
  return cause
}
