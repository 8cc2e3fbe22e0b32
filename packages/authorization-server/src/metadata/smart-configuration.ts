/** What `.well-known/smart-configuration` says. Only what works is in it. */
export interface SmartConfiguration {
  readonly token_endpoint: string
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
  readonly scopes_supported: readonly string[]
  readonly response_types_supported: readonly string[]
  readonly code_challenge_methods_supported: readonly string[]
  readonly capabilities: readonly string[]
}

/** Examples that work: every R4 type, permission and evaluable constraint does. */
export const SCOPES_SUPPORTED = [
  'system/*.cruds',
  'system/*.rs',
  'system/*.read',
  'system/*.write',
  'system/Patient.rs',
  'system/Observation.rs',
  'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
  'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
] as const

/**
 * `issuer`, `jwks_uri` and `authorization_endpoint` are left out until a user can sign in: SMART
 * ties them to the capabilities `sso-openid-connect` and `launch-…`.
 *
 * @see SMART 2.2, Conformance
 */
export function smartConfiguration(options: {
  readonly tokenEndpoint: string
  readonly authMethods: readonly string[]
  readonly signingAlgorithms: readonly string[]
}): SmartConfiguration {
  return {
    token_endpoint: options.tokenEndpoint,
    token_endpoint_auth_methods_supported: options.authMethods,
    token_endpoint_auth_signing_alg_values_supported: options.signingAlgorithms,
    grant_types_supported: ['client_credentials'],
    scopes_supported: SCOPES_SUPPORTED,
    response_types_supported: [],
    code_challenge_methods_supported: ['S256'],
    capabilities: [
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'permission-v1',
      'permission-v2',
    ],
  }
}
