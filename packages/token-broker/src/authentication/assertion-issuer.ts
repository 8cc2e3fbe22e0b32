import type { Connection } from '../connection.ts'
import type { ServerMetadata } from '../discovery/server-metadata.ts'

/**
 * The issuer as the audience of an assertion that is sent to `endpoint`. Where the connection names
 * none, metadata may state any: an assertion for another server than the one that gets it could be
 * used there, by a provider that has given this client the same name.
 *
 * @returns `undefined` where it is not known
 * @see https://openid.net/notice-of-a-security-vulnerability/ (audience injection); RFC 7523 §3
 */
export function assertionIssuer(
  { issuer }: Connection,
  server: ServerMetadata,
  endpoint: string,
): string | undefined {
  if (issuer !== undefined || server.issuer === undefined) return server.issuer
  return isSameOrigin(server.issuer, endpoint) ? server.issuer : undefined
}

/** By scheme, host and port. */
export function isSameOrigin(left: string, right: string): boolean {
  const origin = URL.parse(left)?.origin
  return origin !== undefined && origin !== 'null' && origin === URL.parse(right)?.origin
}
