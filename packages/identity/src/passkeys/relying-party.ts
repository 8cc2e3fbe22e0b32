import { isIP } from 'node:net'

/** The site that passkeys are made for. */
export interface RelyingParty {
  /** A domain: passkeys are bound to it for good. */
  readonly id: string
  /** What browsers show. */
  readonly name: string
  readonly origin: string
}

/**
 * The relying party of a server at `url`, or `undefined` where browsers make no passkeys: at an IP
 * address, and over plain HTTP anywhere but on `localhost`.
 *
 * @see Web Authentication Level 3 §5.1.2, effective domain; Secure Contexts §3.1
 */
export function relyingPartyOf(url: string, name: string): RelyingParty | undefined {
  const { hostname, origin, protocol } = new URL(url)
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return undefined
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  return protocol === 'https:' || isLocal ? { id: hostname, name, origin } : undefined
}
