import { completeChecks } from '@scopegate/checks'
import type { ExpectedAudience, TokenVerdict, TokenVerifier } from '@scopegate/oauth-model'
import type { Call } from './call.ts'

/**
 * Who sends this? One access token in `Authorization`, and nowhere else; the checks are complete.
 * @param baseUrl the endpoint's own, which a proof of possession must name
 * @see RFC 6750 §2, RFC 9700 §4.3.2, RFC 9449 §7
 */
export async function authenticate(
  call: Call,
  verifier: TokenVerifier,
  expected: ExpectedAudience,
  baseUrl: string,
): Promise<TokenVerdict> {
  const authorization = call.header('authorization')
  const proof = call.header('dpop')
  const verdict = await verifier.verify(authorization, expected, {
    authorizationRepeated:
      call.repeatedHeaders.includes('authorization') ||
      // Without a socket, repeated headers arrive joined; a bearer token holds no comma.
      authorization?.includes(',') === true,
    tokenInParameters: call.query.some(([name]) => name === 'access_token'),
    ...(call.clientCertificate !== undefined && { clientCertificate: call.clientCertificate }),
    request: {
      method: call.method,
      url: `${baseUrl}${call.target}`,
      ...(proof === undefined ? {} : { proof }),
    },
  })
  return verdict.ok ? verdict : { ...verdict, checks: completeChecks(verdict.checks) }
}
