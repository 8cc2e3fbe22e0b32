/** Cookies of this server, whatever stands before and after: of sign-in, engine and web apps. */
const OWN = /^(?:__Host-|__Secure-)?scopegate[_.-]/i

/**
 * Whether a cookie of this name belongs to this server. Such cookies never reach an upstream, and no
 * upstream can set them.
 */
export function isOwnCookie(name: string): boolean {
  return OWN.test(name)
}

/**
 * Whether a `Set-Cookie` line sets a cookie that would come back as one of ours. A cookie without a
 * name (`=scopegate_session=x`) comes back without its first sign.
 *
 * @see RFC 6265bis §5.7, step 21
 */
export function setsOwnCookie(line: string): boolean {
  return isOwnCookie(line.replace(/^[\s=]+/, ''))
}

/** The header without the cookies of this server; `''` if none is left. */
export function withoutOwnCookies(header: string): string {
  return header
    .split(';')
    .filter((pair) => !setsOwnCookie(pair))
    .join(';')
    .trim()
}
