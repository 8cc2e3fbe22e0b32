import type { IncomingMessage } from 'node:http'
import type { TokenVerdict } from '@scopegate/oauth-model'
import type { OwnTokens } from './own-tokens.ts'
import type { OwnCall } from './refusals.ts'

/** Judges the access token that an endpoint here was called with. */
export function verifyBearer(
  { request, path }: OwnCall,
  { verifier, expected }: Pick<OwnTokens, 'verifier' | 'expected'>,
  issuer: string,
): Promise<TokenVerdict> {
  const { authorization, dpop } = request.headers
  return verifier.verify(authorization, expected, {
    authorizationRepeated: isRepeated(request, 'authorization'),
    tokenInParameters: /[?&]access_token=/.test(request.url ?? ''),
    request: {
      method: request.method ?? '',
      url: `${issuer}${path}`,
      ...(typeof dpop === 'string' ? { proof: dpop } : {}),
    },
  })
}

/** Whether a header came more than once: Node keeps the first, and a proxy may have looked at the last. */
export function isRepeated({ rawHeaders }: IncomingMessage, name: string): boolean {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) count += 1
  }
  return count > 1
}
