import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** How our cookies are set. */
export interface CookiePolicy {
  /** The issuer is https: `__Host-` names and `Secure`. */
  readonly secure: boolean
  /** Pages may be shown in a frame of another site, so cookies must reach them there. */
  readonly embedded: boolean
}

/** The cookie of the identity session. */
export function sessionCookieName(secure: boolean): string {
  return secure ? '__Host-scopegate_session' : 'scopegate_session'
}

/** The value of a cookie of the request, as it was set. */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim()
  }
  return undefined
}

/** Adds a cookie for the whole origin, out of reach of scripts. `undefined` removes it. */
export function setCookie(
  response: ServerResponse,
  name: string,
  value: string | undefined,
  policy: CookiePolicy,
  maxAgeSeconds?: number,
): void {
  const crossSite = policy.embedded && policy.secure
  const age = value === undefined ? 0 : maxAgeSeconds
  response.appendHeader(
    'Set-Cookie',
    [
      `${name}=${value ?? ''}`,
      'Path=/',
      'HttpOnly',
      `SameSite=${crossSite ? 'None' : 'Lax'}`,
      ...(policy.secure ? ['Secure'] : []),
      ...(crossSite ? ['Partitioned'] : []),
      ...(age === undefined ? [] : [`Max-Age=${age}`]),
    ].join('; '),
  )
}

/**
 * The browser, as a random cookie names it. Forms carry a hash of that cookie and of what they are
 * for: another site can neither read nor set the cookie (`__Host-`), so it cannot make the field.
 */
export interface Browser {
  /** To be kept with an interaction, so that no other browser goes on with it. */
  readonly id: string
  /** The token of forms about `subject`. */
  csrf(subject: string): string
  isCsrf(subject: string, presented: string | undefined): boolean
}

/** The browser of a request; one that is new gets its cookie with the response. */
export function browserOf(
  request: IncomingMessage,
  response: ServerResponse,
  policy: CookiePolicy,
): Browser {
  const name = policy.secure ? '__Host-scopegate_browser' : 'scopegate_browser'
  const present = readCookie(request, name)
  let secret = present
  if (secret === undefined || !/^[A-Za-z0-9_-]{43}$/.test(secret)) {
    secret = randomBytes(32).toString('base64url')
    setCookie(response, name, secret, policy)
  }
  const csrf = (subject: string) => hash('csrf', secret, subject)
  return {
    id: hash('browser', secret),
    csrf,
    isCsrf: (subject, presented) => presented !== undefined && equal(csrf(subject), presented),
  }
}

/**
 * Whether a request comes from a page of ours, as the browser itself says it. Older browsers say
 * nothing; the token of the form decides then as always.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isSameOrigin(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

function hash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url')
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
