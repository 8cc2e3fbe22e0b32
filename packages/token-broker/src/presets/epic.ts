import type { ConnectionPreset } from './preset.ts'

/**
 * Epic, backend services. The audience is the exact token URL of that hospital, found below `url`,
 * its FHIR base. Keys are registered per customer and environment, and take hours to be known.
 */
export const epic: ConnectionPreset = {
  label: 'Epic',
  documentation: 'https://fhir.epic.com/Documentation?docId=oauth2&section=BackendOAuth2Guide',
  metadata: ['{url}/.well-known/smart-configuration'],
  fixes: { url: 'write the FHIR base URL of that hospital, or give its `tokenEndpoint`' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  assertion: {
    alg: 'RS384',
    audience: 'token-endpoint',
    headers: ['kid', 'typ'],
    lifetimeSeconds: 240,
  },
  algorithms: ['RS384', 'RS256', 'RS512', 'ES384'],
  // It grants what was registered, whatever is asked for.
  scopePolicy: 'accept',
  dpop: false,
  defaultLifetimeSeconds: 300,
}
