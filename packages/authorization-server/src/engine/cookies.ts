import type { IncomingMessage } from 'node:http'
import type { Configuration } from 'oidc-provider'

/** The engine's cookies. Signed, so that only what was set here is looked up. */
export interface EngineCookieNames {
  readonly session: string
  readonly interaction: string
  readonly resume: string
}

/**
 * On https the browser itself keeps these to this host (`__Host-`) and to secure connections; those
 * of an interaction are bound to its path, which `__Host-` forbids.
 *
 * @see RFC 6265bis §4.1.3
 */
export function cookieNames(isSecure: boolean): EngineCookieNames {
  return {
    session: isSecure ? '__Host-scopegate_engine' : 'scopegate_engine',
    interaction: isSecure ? '__Secure-scopegate_interaction' : 'scopegate_interaction',
    resume: isSecure ? '__Secure-scopegate_resume' : 'scopegate_resume',
  }
}

/** The cookie of the identity session, which says who is signed in. */
export function identityCookieName(isSecure: boolean): string {
  return isSecure ? '__Host-scopegate_session' : 'scopegate_session'
}

/** For pages in frames of other sites browsers want `Secure`, so that this takes https. */
export function cookieSettings(deps: {
  readonly issuer: string
  readonly embedded: boolean
  readonly cookieKey: Uint8Array
}): NonNullable<Configuration['cookies']> {
  const isSecure = deps.issuer.startsWith('https:')
  const crossSite = deps.embedded && isSecure
  const common = {
    httpOnly: true,
    signed: true,
    secure: isSecure,
    sameSite: crossSite ? 'none' : 'lax',
    ...(crossSite ? { partitioned: true } : {}),
  } as const
  return {
    keys: [Buffer.from(deps.cookieKey).toString('base64url')],
    names: { ...cookieNames(isSecure) },
    long: { ...common, path: '/' },
    short: common,
  }
}

/** The value of a cookie in the request. */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

/**
 * Takes the engine's session out of the request. Every authorization begins without one: who is
 * signed in is asked of the identity session, and no id of a session before a sign-in is one after.
 */
export function forgetEngineSession(request: IncomingMessage, isSecure: boolean): void {
  const { session } = cookieNames(isSecure)
  const kept = (request.headers.cookie ?? '').split(';').filter((pair) => {
    const name = pair.split('=', 1)[0]?.trim()
    return name !== session && name !== `${session}.sig`
  })
  request.headers.cookie = kept.join(';')
}
