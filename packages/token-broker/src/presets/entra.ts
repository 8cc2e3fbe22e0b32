import type { ConnectionPreset } from './preset.ts'

/**
 * Microsoft Entra ID, v2.0 endpoints. National clouds: `cloud: login.microsoftonline.us` or
 * `login.partner.microsoftonline.cn`.
 */
export const entra: ConnectionPreset = {
  label: 'Microsoft Entra ID',
  documentation:
    'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow',
  issuer: 'https://{cloud}/{tenant}/v2.0',
  tokenEndpoint: 'https://{cloud}/{tenant}/oauth2/v2.0/token',
  authorizationEndpoint: 'https://{cloud}/{tenant}/oauth2/v2.0/authorize',
  deviceAuthorizationEndpoint: 'https://{cloud}/{tenant}/oauth2/v2.0/devicecode',
  metadata: [],
  parts: { cloud: 'login.microsoftonline.com' },
  fixes: { tenant: 'write the Directory (tenant) ID of the app registration' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_post',
  assertion: {
    alg: 'PS256',
    audience: 'token-endpoint',
    headers: ['typ', 'x5t#S256'],
    lifetimeSeconds: 300,
  },
  algorithms: ['PS256', 'RS256'],
  // It grants what the app was given, whatever `.default` says, and does not list it.
  scopePolicy: 'accept',
  dpop: false,
  defaultLifetimeSeconds: 3599,
  rules: ['one-default-scope', 'own-tenant'],
}
