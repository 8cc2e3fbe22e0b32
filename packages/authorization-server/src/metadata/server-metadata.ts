import { ADMIN_SCOPES } from '@scopegate/oauth-model'
import type { MetadataFacts } from './metadata-facts.ts'
import { scopesSupported } from './scopes-supported.ts'

/** What the engine says of flows with a user, whether they are served or not. */
const OF_USERS = [
  'authorization_endpoint',
  'authorization_response_iss_parameter_supported',
  'claims_parameter_supported',
  'claims_supported',
  'code_challenge_methods_supported',
  'id_token_signing_alg_values_supported',
  'request_parameter_supported',
  'request_uri_parameter_supported',
  'response_modes_supported',
]

/**
 * The engine's discovery document, with our own endpoints and without what does not work.
 *
 * @see RFC 8414 §2; OpenID Connect Discovery 1.0 §3. `response_types_supported` is required; an
 * empty list says that there is none
 */
export function serverMetadata(
  fromEngine: Readonly<Record<string, unknown>>,
  facts: MetadataFacts,
): Record<string, unknown> {
  const { issuer, paths, hasUsers, authMethods, signingAlgorithms } = facts
  const known = Object.entries(fromEngine).filter(
    ([name, value]) => value !== undefined && (hasUsers || !OF_USERS.includes(name)),
  )
  const confidential = authMethods.filter((method) => method !== 'none')
  return {
    ...Object.fromEntries(known),
    ...(hasUsers
      ? { userinfo_endpoint: `${issuer}${paths.userinfo}`, prompt_values_supported: PROMPTS }
      : { response_types_supported: [] }),
    ...(facts.hasRegistration ? { registration_endpoint: `${issuer}${paths.registration}` } : {}),
    scopes_supported: [...scopesSupported(hasUsers), ...ADMIN_SCOPES],
    introspection_endpoint: `${issuer}${paths.introspection}`,
    // RFC 8414 §2: types of access tokens stand beside methods of client authentication.
    introspection_endpoint_auth_methods_supported: [...confidential, 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: signingAlgorithms,
    revocation_endpoint: `${issuer}${paths.revocation}`,
    revocation_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_signing_alg_values_supported: signingAlgorithms,
  }
}

const PROMPTS = ['none', 'login', 'consent']
