import type { ConnectionPreset } from './preset.ts'

/** athenahealth; the preview is `environment: api.preview.platform.athenahealth.com`. */
export const athenahealth: ConnectionPreset = {
  label: 'athenahealth',
  documentation: 'https://docs.athenahealth.com/api/guides/authentication-and-security',
  tokenEndpoint: 'https://{environment}/oauth2/v1/token',
  authorizationEndpoint: 'https://{environment}/oauth2/v1/authorize',
  metadata: [],
  parts: { environment: 'api.platform.athenahealth.com' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  assertion: {
    alg: 'RS384',
    audience: 'token-endpoint',
    headers: ['kid', 'typ'],
    lifetimeSeconds: 240,
  },
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 3600,
  rules: ['scopes-required'],
}
