import type { ProviderPreset } from './preset.ts'

/**
 * Auth0. The issuer ends in a slash. Claims of your own carry a namespace, such as
 * `https://example.org/fhirUser`; name them so in `claims`.
 */
export const auth0: ProviderPreset = {
  label: 'Auth0',
  issuerTemplate: 'https://{domain}/',
  scopes: ['openid', 'profile', 'email'],
  claims: { username: 'nickname', name: 'name', email: 'email' },
  userInfo: 'when-missing',
  assertionAudience: 'issuer',
  emailVerifiedClaim: 'email_verified',
  fixes: {
    access_denied: 'the user declined, or a rule or an action of the tenant refused the sign-in',
    unauthorized: 'an action of the tenant refused the sign-in',
    invalid_client: "copy client id and secret from the application's Settings again",
  },
}
