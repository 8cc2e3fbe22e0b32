import type { ConnectionPreset } from './preset.ts'

/**
 * Oracle Health (Cerner), system accounts: HTTP Basic only, scopes with spaces between, and only
 * those come back that were registered. `environment` is another host of the authorization server.
 */
export const oracleHealth: ConnectionPreset = {
  label: 'Oracle Health',
  documentation:
    'https://docs.oracle.com/en/industries/health/millennium-platform-apis/fhir-authorization-framework/',
  tokenEndpoint: 'https://{environment}/tenants/{tenant}/protocols/oauth2/profiles/smart-v1/token',
  metadata: [],
  parts: { environment: 'authorization.cerner.com' },
  fixes: { tenant: 'write the tenant id (a GUID) of that hospital and environment' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  assertion: {
    alg: 'RS384',
    audience: 'token-endpoint',
    headers: ['kid', 'typ', 'jku'],
    lifetimeSeconds: 240,
  },
  algorithms: ['RS384', 'ES384'],
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 570,
  rules: ['scopes-required'],
}
