import type { GrantType } from './client-registry.ts'

/**
 * The grants that a registration without any means: with redirect URIs `authorization_code`, with
 * scopes that last also `refresh_token`; `client_credentials` if there is no redirect URI, or a
 * scope is one of the client itself.
 */
export function defaultGrants(scopes: string, redirectUris: readonly string[]): GrantType[] {
  const texts = scopes.split(' ')
  const hasUser = redirectUris.length > 0
  const lasts = texts.includes('offline_access') || texts.includes('online_access')
  const isProgram = texts.some((text) => /^(?:system|admin)\//.test(text))
  return [
    ...(hasUser ? (['authorization_code'] as const) : []),
    ...(hasUser && lasts ? (['refresh_token'] as const) : []),
    ...(isProgram || !hasUser ? (['client_credentials'] as const) : []),
  ]
}
