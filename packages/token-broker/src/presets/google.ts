import type { ConnectionPreset } from './preset.ts'

/**
 * Google: a service account signs an assertion that is itself the grant. With `subject` it acts for
 * a user of the Workspace, where domain-wide delegation allows its numeric client id the scopes.
 */
export const google: ConnectionPreset = {
  label: 'Google',
  documentation: 'https://developers.google.com/identity/protocols/oauth2/service-account',
  issuer: 'https://accounts.google.com',
  tokenEndpoint: 'https://oauth2.googleapis.com/token',
  authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
  deviceAuthorizationEndpoint: 'https://oauth2.googleapis.com/device/code',
  metadata: [],
  grant: 'jwt_bearer',
  secretMethod: 'client_secret_post',
  assertion: {
    alg: 'RS256',
    audience: 'token-endpoint',
    headers: ['kid', 'typ'],
    lifetimeSeconds: 3600,
  },
  algorithms: ['RS256'],
  bearerScopesIn: 'assertion',
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 3599,
  // Without these a sign-in gives no refresh token the second time.
  authorizationParameters: { access_type: 'offline', prompt: 'consent' },
  rules: ['scopes-required'],
}
