import type { ProviderPreset } from './preset.ts'

/**
 * Google accounts and Google Workspace. Anybody has a Google account: name the `hostedDomain`, or
 * everybody can sign in.
 *
 * @see https://developers.google.com/identity/openid-connect/openid-connect
 */
export const google: ProviderPreset = {
  label: 'Google',
  issuerTemplate: 'https://accounts.google.com',
  scopes: ['openid', 'profile', 'email'],
  claims: { username: 'email', name: 'name', email: 'email' },
  userInfo: 'never',
  assertionAudience: 'issuer',
  emailVerifiedClaim: 'email_verified',
  quirk: 'google',
  fixes: {
    redirect_uri_mismatch:
      'add the redirect URI, exactly as shown, to the OAuth client under Authorized redirect URIs',
    access_denied:
      'the user declined, or is no test user while the OAuth consent screen is in testing',
    invalid_client: 'copy client id and secret from the OAuth client again',
  },
}
