import type { ProviderPreset } from './preset.ts'

/**
 * Okta's org authorization server; for a custom one write its `issuer`, such as
 * `https://example.okta.com/oauth2/default`. ID tokens from the token endpoint are thin: the profile
 * is at the userinfo endpoint.
 */
export const okta: ProviderPreset = {
  label: 'Okta',
  issuerTemplate: 'https://{domain}',
  scopes: ['openid', 'profile', 'email'],
  claims: { username: 'preferred_username', name: 'name', email: 'email' },
  userInfo: 'when-missing',
  assertionAudience: 'token_endpoint',
  emailVerifiedClaim: 'email_verified',
  fixes: {
    access_denied: 'assign the user or a group to the application under Assignments',
    invalid_client: "copy client id and secret from the application's General tab again",
    no_matching_policy:
      "let the authorization server's access policy cover the application, the user and the scopes",
  },
}
