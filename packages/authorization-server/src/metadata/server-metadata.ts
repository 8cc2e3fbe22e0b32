import { ADMIN_SCOPES } from '@scopegate/oauth-model'
import { SCOPES_SUPPORTED } from './smart-configuration.ts'

/** What the engine says of the flows that need a user, none of which is served yet. */
const NOT_SERVED = [
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
 * The engine's discovery document without what does not work.
 *
 * @see RFC 8414 §2: `response_types_supported` is required; an empty list says that there is none
 */
export function serverMetadata(
  fromEngine: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const metadata: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fromEngine)) {
    if (!NOT_SERVED.includes(name)) metadata[name] = value
  }
  return {
    ...metadata,
    response_types_supported: [],
    scopes_supported: [...SCOPES_SUPPORTED, ...ADMIN_SCOPES],
  }
}
