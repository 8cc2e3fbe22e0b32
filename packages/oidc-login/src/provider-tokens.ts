import type { TokenEndpointResponse } from 'openid-client'
import type { ProviderTokens } from './upstream-login-types.ts'

/** A token answer in our terms. `expires_in` counts from now. */
export function tokensOf(
  answer: TokenEndpointResponse,
  claims: Readonly<Record<string, unknown>> | undefined,
  nowMs: number,
): ProviderTokens {
  const { access_token, refresh_token, expires_in, scope } = answer
  return {
    accessToken: access_token,
    ...(refresh_token === undefined ? {} : { refreshToken: refresh_token }),
    ...(expires_in === undefined ? {} : { expiresAt: Math.floor(nowMs / 1000) + expires_in }),
    ...(scope === undefined ? {} : { scope }),
    ...(claims === undefined ? {} : { claims }),
  }
}
