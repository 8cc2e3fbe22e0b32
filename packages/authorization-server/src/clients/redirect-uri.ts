/** The hosts that mean the device of the user, as the engine knows them. @see RFC 8252 §7.3 */
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Why an address is refused, and what to give instead. */
export interface AddressProblem {
  readonly why: string
  readonly fix: string
}

const MAX_CHARACTERS = 2000

/**
 * What keeps a redirect URI from being registered. They are compared character by character, so
 * nothing in them may be a pattern.
 *
 * @see RFC 9700 §2.1, RFC 8252 §7, RFC 6749 §3.1.2
 */
export function redirectUriProblem(text: string): AddressProblem | undefined {
  const url = URL.parse(text)
  const plain = plainProblem(text, url)
  if (plain !== undefined || url === null) return plain
  if (text.includes('*')) {
    return { why: 'holds a wildcard', fix: 'register every redirect URI in full' }
  }
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:') return LOOPBACK_HOSTS.has(url.hostname) ? undefined : NOT_HTTPS
  if (/^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(url.protocol)) return undefined
  return {
    why: `the scheme \`${url.protocol.slice(0, -1)}\` belongs to no app`,
    fix: 'use https, http on loopback, or a scheme from a domain of yours such as `com.example.app:/callback`',
  }
}

/** What keeps redirect URIs from being registered together. */
export function redirectUrisProblem(
  texts: readonly string[],
  native: boolean,
): AddressProblem | undefined {
  if (!native) return undefined
  const claimed = texts.find((text) => {
    const url = URL.parse(text)
    return url?.protocol === 'https:' && LOOPBACK_HOSTS.has(url.hostname)
  })
  return claimed === undefined
    ? undefined
    : {
        why: `\`${claimed}\` is served on loopback, and the others are of an app on a device`,
        fix: 'register two clients, or use http on loopback',
      }
}

/**
 * Whether an address is still among those registered: apps on a device choose the port when they
 * start. For a request that the engine has judged before. @see RFC 8252 §7.3
 */
export function isStillRegistered(text: string, registered: readonly string[]): boolean {
  if (registered.includes(text)) return true
  const asked = withoutLoopbackPort(text)
  return asked !== undefined && registered.some((each) => withoutLoopbackPort(each) === asked)
}

function withoutLoopbackPort(text: string): string | undefined {
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' || !LOOPBACK_HOSTS.has(url.hostname)) return undefined
  url.port = ''
  return url.href
}

/** What keeps an address that browsers open, or that is shown, from being registered. */
export function webAddressProblem(text: string): AddressProblem | undefined {
  const url = URL.parse(text)
  const plain = plainProblem(text, url)
  if (plain !== undefined || url === null) return plain
  if (url.protocol === 'https:') return undefined
  return url.protocol === 'http:' && LOOPBACK_HOSTS.has(url.hostname) ? undefined : NOT_HTTPS
}

/** What keeps a web origin from being registered for CORS. */
export function originProblem(text: string): AddressProblem | undefined {
  const problem = webAddressProblem(text)
  if (problem !== undefined) return problem
  const { origin } = new URL(text)
  return origin === text ? undefined : { why: 'not an origin', fix: `use \`${origin}\`` }
}

const NOT_HTTPS: AddressProblem = {
  why: 'not https',
  fix: 'use https; http only on loopback, such as `http://127.0.0.1:3000/callback`',
}

function plainProblem(text: string, url: URL | null): AddressProblem | undefined {
  if (url === null) {
    return { why: 'not an absolute URL', fix: 'give it in full, such as `https://app.example/cb`' }
  }
  if (text.length > MAX_CHARACTERS) {
    return { why: `longer than ${MAX_CHARACTERS} characters`, fix: 'use a shorter one' }
  }
  if (/[^\x21-\x7e]|\\/.test(text)) {
    return { why: 'holds characters that a URL must encode', fix: 'percent-encode them' }
  }
  if (text.includes('#')) return { why: 'has a fragment', fix: 'leave out the part from `#` on' }
  if (url.username !== '' || url.password !== '') {
    return { why: 'holds a user name or a password', fix: 'leave out the part before `@`' }
  }
  return undefined
}
