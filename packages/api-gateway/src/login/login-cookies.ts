import { createHash } from 'node:crypto'
import { cookieNamesWith, readCookie } from './read-cookie.ts'

/** The cookies of one API's login. */
export interface LoginCookies {
  /** Of the session. */
  readonly name: string
  /** What the names of the cookies of sign-ins under way begin with. */
  readonly statePrefix: string
  session(header: string | undefined): string | undefined
  /** `Set-Cookie` of a new session; of its end without a value. */
  setSession(value: string | undefined): string
  /** The sign-in under way that a `state` belongs to: each tab has its own. */
  state(header: string | undefined, state: string): string | undefined
  /** `Set-Cookie` lines: one for the sign-in that begins, others for those that pile up. */
  setState(
    header: string | undefined,
    state: string,
    value: string,
    maxAgeSeconds: number,
  ): readonly string[]
  clearState(state: string): string
}

/** Sign-ins under way in one browser. Some browsers send no more than 180 cookies of one host. */
const MOST_STATES = 8

/**
 * Host-only, so that no neighbour of the domain sets or reads them; one name per API, since several
 * share a host. With https `__Host-` has the browser enforce that, unless a path is wanted.
 *
 * @see RFC 6265bis §4.1.3
 */
export function createLoginCookies(options: {
  readonly api: { readonly name: string; readonly path: string; readonly url: string }
  /** Narrows the cookies to a path. Default: with https none, else that of the API. */
  readonly path?: string | undefined
}): LoginCookies {
  const { api } = options
  const isSecure = api.url.startsWith('https:')
  const path = options.path ?? (isSecure ? '/' : api.path)
  const mark = isSecure ? (path === '/' ? '__Host-' : '__Secure-') : ''
  const slug = slugOf(api.name)
  const name = `${mark}scopegate_web_${slug}`
  const statePrefix = `${mark}scopegate_login_${slug}.`
  const attributes = `Path=${path}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  const stateName = (state: string) =>
    statePrefix + createHash('sha256').update(state).digest('hex').slice(0, 16)
  const gone = (each: string) => `${each}=; ${attributes}; Max-Age=0`

  return {
    name,
    statePrefix,
    session(header) {
      const value = readCookie(header, name)
      return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined
    },
    setSession: (value) => (value === undefined ? gone(name) : `${name}=${value}; ${attributes}`),
    state: (header, state) => readCookie(header, stateName(state)),
    setState(header, state, value, maxAgeSeconds) {
      const waiting = cookieNamesWith(header, statePrefix)
      const stale = waiting.slice(0, Math.max(0, waiting.length - MOST_STATES + 1))
      return [
        `${stateName(state)}=${value}; ${attributes}; Max-Age=${maxAgeSeconds}`,
        ...stale.map(gone),
      ]
    },
    clearState: (state) => gone(stateName(state)),
  }
}

/** A name of an API as part of a cookie's name and of a client's id; no two APIs share one. */
export function slugOf(name: string): string {
  if (/^[a-z0-9-]{1,40}$/.test(name)) return name
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
  return `${plain}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}
