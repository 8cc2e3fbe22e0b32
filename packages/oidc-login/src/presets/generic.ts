import type { ProviderPreset } from './preset.ts'

/** Any OpenID Provider with discovery. @see OpenID Connect Discovery 1.0 */
export const generic: ProviderPreset = {
  label: 'OpenID Connect',
  scopes: ['openid', 'profile', 'email'],
  claims: { username: 'preferred_username', name: 'name', email: 'email' },
  userInfo: 'when-missing',
  assertionAudience: 'issuer',
  emailVerifiedClaim: 'email_verified',
  fixes: {
    invalid_client: 'check `clientId` and the secret or key of the provider',
  },
}
