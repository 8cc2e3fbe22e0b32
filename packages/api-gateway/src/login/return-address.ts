import { isOwnPath } from '@scopegate/oidc-login'

const BASE = 'http://scopegate.invalid'

/**
 * Where a browser may go on after a sign-in: a path at or below the API, as every browser reads it.
 * Anything else, and what is of the login itself, becomes the API's first page.
 *
 * @param text `/bank/page?x=1`, or what somebody wrote into a link
 * @param path of the API, no final slash
 */
export function returnAddress(text: string | undefined | null, path: string): string {
  const home = `${path}/`
  if (typeof text !== 'string' || !isOwnPath(text)) return home
  const url = URL.parse(text, BASE)
  if (url === null || url.origin !== BASE) return home
  const { pathname } = url
  if (pathname !== path && !pathname.startsWith(home)) return home
  if (pathname.startsWith(`${path}/.scopegate/`)) return home
  return pathname + url.search + url.hash
}
