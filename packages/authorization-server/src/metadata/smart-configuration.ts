import type { MetadataFacts } from './metadata-facts.ts'
import { scopesSupported } from './scopes-supported.ts'

/** What `.well-known/smart-configuration` says. Only what works is in it. */
export interface SmartConfiguration {
  /** With `jwks_uri` and `authorization_endpoint`: only where a user can sign in. */
  readonly issuer?: string
  readonly jwks_uri?: string
  readonly authorization_endpoint?: string
  readonly token_endpoint: string
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
  readonly registration_endpoint?: string
  readonly introspection_endpoint: string
  readonly revocation_endpoint: string
  readonly management_endpoint?: string
  readonly scopes_supported: readonly string[]
  readonly response_types_supported: readonly string[]
  readonly code_challenge_methods_supported: readonly string[]
  readonly capabilities: readonly string[]
}

const OF_CLIENTS = [
  'client-confidential-symmetric',
  'client-confidential-asymmetric',
  'permission-v1',
  'permission-v2',
]

const OF_USERS = [
  'launch-ehr',
  'launch-standalone',
  'authorize-post',
  'client-public',
  'sso-openid-connect',
  'context-banner',
  'context-style',
  'context-ehr-patient',
  'context-ehr-encounter',
  'context-standalone-patient',
  'context-standalone-encounter',
  'permission-offline',
  'permission-online',
  'permission-patient',
  'permission-user',
]

/**
 * `issuer`, `jwks_uri` and `authorization_endpoint` are there where a user can sign in: SMART ties
 * them to the capabilities `sso-openid-connect` and `launch-…`.
 *
 * @see SMART 2.2, Conformance
 */
export function smartConfiguration(facts: MetadataFacts): SmartConfiguration {
  const { issuer, paths, hasUsers, managementUrl } = facts
  // SMART knows these of confidential clients only; `client-public` says that there are others.
  const methods = facts.authMethods.filter((method) => method !== 'none')
  return {
    ...(hasUsers
      ? {
          issuer,
          jwks_uri: `${issuer}${paths.jwks}`,
          authorization_endpoint: `${issuer}${paths.authorization}`,
        }
      : {}),
    token_endpoint: `${issuer}${paths.token}`,
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: facts.signingAlgorithms,
    // SMART knows these two; the others are in the documents of OAuth and OpenID.
    grant_types_supported: [...(hasUsers ? ['authorization_code'] : []), 'client_credentials'],
    ...(facts.hasRegistration ? { registration_endpoint: `${issuer}${paths.registration}` } : {}),
    introspection_endpoint: `${issuer}${paths.introspection}`,
    revocation_endpoint: `${issuer}${paths.revocation}`,
    ...(hasUsers && managementUrl !== undefined ? { management_endpoint: managementUrl } : {}),
    scopes_supported: scopesSupported(hasUsers),
    response_types_supported: hasUsers ? ['code'] : [],
    code_challenge_methods_supported: ['S256'],
    capabilities: hasUsers ? [...OF_USERS, ...OF_CLIENTS] : OF_CLIENTS,
  }
}
