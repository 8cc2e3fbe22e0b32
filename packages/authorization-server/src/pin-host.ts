import type { IncomingMessage } from 'node:http'

/**
 * Makes the request look as if it had been sent to the issuer's own address. The engine builds its
 * endpoint URLs, and the audiences it accepts of assertions, from the headers of the request: with
 * those of an attacker it would accept an assertion that was made for somebody else.
 *
 * The engine must run with `proxy = true`, so that the scheme is taken from here as well.
 */
export function pinHost(request: IncomingMessage, issuer: URL): void {
  const { headers } = request
  for (const name of Object.keys(headers)) {
    if (name.startsWith('x-forwarded-') || name === 'forwarded') delete headers[name]
  }
  headers.host = issuer.host
  headers['x-forwarded-host'] = issuer.host
  headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1)
}
