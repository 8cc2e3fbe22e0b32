import type { ProviderPreset } from './preset.ts'

/** Keycloak 17 and newer (older ones have `/auth` at the end of `url`). */
export const keycloak: ProviderPreset = {
  label: 'Keycloak',
  issuerTemplate: '{url}/realms/{realm}',
  scopes: ['openid', 'profile', 'email'],
  claims: { username: 'preferred_username', name: 'name', email: 'email' },
  userInfo: 'when-missing',
  assertionAudience: 'issuer',
  emailVerifiedClaim: 'email_verified',
  fixes: {
    invalid_redirect_uri: "add the redirect URI to the client's Valid redirect URIs",
    unauthorized_client:
      'switch Client authentication on for the client, and use the secret of its Credentials tab',
    invalid_client: "copy the secret of the client's Credentials tab again",
    temporarily_unavailable: 'the user took too long to sign in, and starts again',
  },
}
