import type { ConnectionPreset } from './preset.ts'

/**
 * SMART Backend Services at any FHIR server: `url` is its FHIR base.
 *
 * @see https://hl7.org/fhir/smart-app-launch/backend-services.html
 */
export const smart: ConnectionPreset = {
  label: 'SMART Backend Services',
  documentation: 'https://hl7.org/fhir/smart-app-launch/backend-services.html',
  metadata: ['{url}/.well-known/smart-configuration'],
  fixes: { url: 'write the FHIR base URL, or give its `tokenEndpoint`' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  // The specification allows five minutes.
  assertion: { audience: 'token-endpoint', headers: ['kid', 'typ', 'jku'], lifetimeSeconds: 240 },
  algorithms: ['RS384', 'ES384'],
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 300,
  rules: ['scopes-required'],
}
