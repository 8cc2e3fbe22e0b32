import type { ServerResponse } from 'node:http'
import { type AnyCheck, failed, failedApi, passed } from '@scopegate/checks'
import { clientCertificateOf } from '@scopegate/http'
import type { PasswordAuthentication, TokenVerifier, VerifiedToken } from '@scopegate/oauth-model'
import type { Api } from './api.ts'
import { type ApiCaller, callerOfSession, callerOfToken, callerOfUser } from './api-caller.ts'
import type { ApiCall, Refusal } from './call.ts'
import type { WebLogin } from './web-login.ts'

export type Authentication =
  | { readonly kind: 'caller'; readonly caller: ApiCaller; readonly sessionId?: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** A browser that is not signed in; refused where it cannot be sent to sign in. */
  | { readonly kind: 'sign-in'; readonly refusal: Refusal }

export interface AuthenticateDeps {
  readonly url: string
  readonly verifier: TokenVerifier
  readonly passwords: PasswordAuthentication | undefined
  readonly logins: ReadonlyMap<string, WebLogin>
}

type Authenticate = (call: ApiCall, response?: ServerResponse) => Promise<Authentication>

/**
 * Who calls: a token, a password, or the session of a browser, as the API declares. Where a token
 * and a password both come, both must be good, and the token says what may be done.
 *
 * @see RFC 6750 §2.1; RFC 7617
 */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  const { verifier, passwords, logins, url } = deps
  const issuer = url
  // By the token as the verifier keeps it: while it remembers the token, we remember the caller.
  const callers = new Map<Api, WeakMap<VerifiedToken, ApiCaller>>()

  function callerOf(token: VerifiedToken, api: Api): ApiCaller {
    let known = callers.get(api)
    if (known === undefined) {
      known = new WeakMap()
      callers.set(api, known)
    }
    let caller = known.get(token)
    if (caller === undefined) {
      caller = callerOfToken(token, api)
      known.set(token, caller)
    }
    return caller
  }

  return async function authenticate(call, response) {
    const { api, request } = call
    const { mode, schemes } = api.auth
    const sent = request.headers.authorization
    if (isRepeated(request.rawHeaders)) return refuse([failed('several_credentials')])
    const { basic, other } = split(sent, schemes.includes('basic'))

    if (mode === 'login' || (mode === 'both' && sent === undefined)) {
      const login = logins.get(api.name)
      if (login === undefined) throw new Error(`no login for ${api.name}`)
      const verdict = await login.session(request, response)
      if (verdict.kind === 'session') {
        call.checks = [passed('session' as never)]
        const caller = callerOfSession(verdict.session, api)
        const { accessToken } = verdict.session
        if (api.forward.authorization === 'keep' && accessToken !== undefined) {
          call.accessToken = accessToken
        }
        return { kind: 'caller', caller, sessionId: verdict.session.id }
      }
      if (verdict.kind === 'refused') return refuse([verdict.check])
      return { kind: 'sign-in', refusal: { checks: [failedApi('session_missing')] } }
    }

    let user: ApiCaller | undefined
    const made: AnyCheck[] = []
    if (basic !== undefined && passwords !== undefined) {
      const verdict = await passwords.authenticateBasic(basic, call.address)
      if (!verdict.ok) {
        const wait = verdict.retryAfterSeconds
        return refuse(
          [verdict.check],
          wait === undefined ? undefined : { 'Retry-After': String(wait) },
        )
      }
      user = callerOfUser(verdict.user, issuer, api)
      made.push({ name: 'password', outcome: 'pass', got: 'a user of this server' })
      if (other === undefined) {
        call.checks = made
        return { kind: 'caller', caller: user }
      }
    }
    if (!schemes.includes('oauth2')) {
      return refuse([
        other === undefined
          ? failed('password_missing')
          : failed('scheme_unsupported', { got: schemeOf(other), expected: 'Basic' }),
      ])
    }
    const proof = request.headers.dpop
    const certificate = clientCertificateOf(request)
    const verdict = await verifier.verify(
      other,
      { audiences: api.auth.audiences, issuers: api.auth.issuers },
      {
        tokenInParameters: call.query.includes('access_token=') && hasTokenParameter(call.query),
        ...(certificate !== undefined && { clientCertificate: certificate }),
        ...(call.isAskedAgain && { isInspected: true }),
        request: {
          method: call.method,
          url: `${api.url}${call.path === '/' ? '' : call.path}`,
          ...(typeof proof === 'string' ? { proof } : {}),
        },
      },
    )
    if (!verdict.ok) {
      if (verdict.claimed !== undefined) call.claimed = verdict.claimed
      const nonce = verdict.dpopNonce
      return refuse(
        [...verdict.checks, ...made],
        nonce === undefined ? undefined : { 'DPoP-Nonce': nonce },
      )
    }
    call.checks = made.length === 0 ? verdict.checks : [...verdict.checks, ...made]
    return { kind: 'caller', caller: callerOf(verdict.token, api) }
  }
}

function refuse(checks: readonly AnyCheck[], headers?: Record<string, string>): Authentication {
  return { kind: 'refused', refusal: { checks, ...(headers && { headers }) } }
}

/** Both credentials in one header: neither of them can hold a comma. */
const BOTH =
  /^(?:basic +([A-Za-z0-9+/=]+) *, *((?:bearer|dpop) .+)|((?:bearer|dpop) +[^ ,]+) *, *basic +([A-Za-z0-9+/=]+)) *$/i

/** The password and whatever else is in `Authorization`. */
function split(sent: string | undefined, takesBasic: boolean): { basic?: string; other?: string } {
  if (sent === undefined) return {}
  if (!takesBasic) return { other: sent }
  const both = sent.includes(',') ? BOTH.exec(sent) : null
  if (both !== null) return { basic: both[1] ?? both[4] ?? '', other: both[2] ?? both[3] ?? '' }
  const basic = /^basic +(.*)$/i.exec(sent)?.[1]
  return basic === undefined ? { other: sent } : { basic }
}

function schemeOf(authorization: string): string {
  return /^[A-Za-z0-9-]{1,20}(?= )/.exec(authorization)?.[0] ?? 'something else'
}

function hasTokenParameter(query: string): boolean {
  return new URLSearchParams(query.slice(1)).has('access_token')
}

function isRepeated(rawHeaders: readonly string[]): boolean {
  let found = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length !== 13 || name.toLowerCase() !== 'authorization') continue
    if (found) return true
    found = true
  }
  return false
}
