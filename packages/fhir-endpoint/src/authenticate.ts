import { type Check, completeChecks, failed, passed } from '@scopegate/checks'
import type { ExpectedAudience, TokenVerdict, TokenVerifier } from '@scopegate/oauth-model'
import type { Call } from './call.ts'
import type { AuthSchemes } from './deps.ts'
import { userToken } from './user-token.ts'

export interface AuthenticateDeps extends AuthSchemes {
  readonly verifier: TokenVerifier
  readonly expected: ExpectedAudience
  /** The endpoint's own, which a proof of possession must name. */
  readonly baseUrl: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** `retryAfterSeconds`: there were too many failures. */
export type Authenticated = TokenVerdict & { readonly retryAfterSeconds?: number }

/**
 * Who sends this? One credential in `Authorization`, and nowhere else: an access token, or where the
 * endpoint takes it a password. Two of them are refused, whatever each is worth. The checks are
 * complete.
 * @see RFC 6750 §2, RFC 7617, RFC 9700 §4.3.2, RFC 9449 §7
 */
export async function authenticate(call: Call, deps: AuthenticateDeps): Promise<Authenticated> {
  const verdict = await judge(call, deps)
  return verdict.ok ? verdict : { ...verdict, checks: completeChecks(verdict.checks) }
}

async function judge(call: Call, deps: AuthenticateDeps): Promise<Authenticated> {
  const { verifier, expected, baseUrl } = deps
  const authorization = call.header('authorization')
  const proof = call.header('dpop')
  const isRepeated =
    call.repeatedHeaders.includes('authorization') ||
    // Without a socket, repeated headers arrive joined; no credential holds a comma.
    authorization?.includes(',') === true
  const inParameters = call.query.some(([name]) => name === 'access_token')
  if (!isRepeated && !inParameters) {
    const other = await judgeOtherwise(call, authorization?.trim() ?? '', deps)
    if (other !== undefined) return other
  }
  return verifier.verify(authorization, expected, {
    authorizationRepeated: isRepeated,
    tokenInParameters: inParameters,
    ...(call.clientCertificate !== undefined && { clientCertificate: call.clientCertificate }),
    request: {
      method: call.method,
      url: `${baseUrl}${call.target}`,
      ...(proof === undefined ? {} : { proof }),
    },
  })
}

/** Judges what is no access token, or none that is taken here; `undefined` leaves it to the verifier. */
async function judgeOtherwise(
  call: Call,
  authorization: string,
  deps: AuthenticateDeps,
): Promise<Authenticated | undefined> {
  const { basic, takesTokens = true } = deps
  if (authorization === '') {
    if (basic === undefined) return undefined
    return refuse([failed(takesTokens ? 'credentials_missing' : 'password_missing')])
  }
  const [, scheme = '', credentials = ''] = /^(\S+) *(.*)$/.exec(authorization) ?? []
  const present = passed('token_present', { got: 'Basic' })
  if (scheme.toLowerCase() !== 'basic') {
    if (takesTokens) return undefined
    // Anything else may be the credential itself, sent without a scheme: it is not repeated.
    const got = /^(?:bearer|dpop)$/i.test(scheme) ? scheme : 'another'
    const expected = '`fhir.r4.auth` lists `basic` alone'
    return refuse([passed('token_present'), failed('tokens_off', { expected, got })])
  }
  if (basic === undefined) {
    const expected = 'Bearer: `fhir.r4.auth` does not list `basic`'
    return refuse([present, failed('scheme_unsupported', { got: 'Basic', expected })])
  }
  const verdict = await basic.passwords.authenticateBasic(credentials, call.address ?? 'unknown')
  if (!verdict.ok) {
    const { check, retryAfterSeconds } = verdict
    const refused = refuse([present, passed('format'), check])
    return retryAfterSeconds === undefined ? refused : { ...refused, retryAfterSeconds }
  }
  const { issuer, scopes: scope } = basic
  const now = Math.floor(deps.now() / 1000)
  return {
    ok: true,
    token: userToken(verdict.user, { issuer, scope, baseUrl: deps.baseUrl, now }),
    checks: [present, passed('format'), passed('password', { got: 'a user of this server' })],
  }
}

function refuse(checks: readonly Check[]): Authenticated & { readonly ok: false } {
  return { ok: false, checks }
}
