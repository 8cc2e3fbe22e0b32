import type { RegistrationPolicy } from '@scopegate/oauth-model'
import type { NetworkPolicy } from '@scopegate/token-verify'
import { type CheckedRegistration, checkRegistration } from '../clients/check-registration.ts'
import { checkPolicy } from './check-policy.ts'
import { MetadataRefused } from './metadata-refused.ts'
import { readMetadata } from './read-metadata.ts'

/** Client metadata as a registration that stands and is within the policy, or why it is not. */
export function judgeMetadata(
  metadata: Readonly<Record<string, unknown>>,
  policy: RegistrationPolicy,
  network: NetworkPolicy,
  apiScopes: readonly string[] = [],
): { readonly checked: CheckedRegistration; readonly authMethod: string } | MetadataRefused {
  try {
    const { registration, authMethod } = readMetadata(metadata, policy, apiScopes)
    const { problems, checked } = checkRegistration(registration, network, apiScopes)
    if (checked === undefined) {
      const [first] = problems
      const isRedirect = first?.member === 'redirectUris'
      const told = problems.map(({ member, why, fix }) => `${wireName(member)}: ${why}; ${fix}`)
      return new MetadataRefused(
        isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata',
        told.join(' | '),
      )
    }
    checkPolicy(checked, authMethod, policy)
    return { checked, authMethod }
  } catch (error) {
    if (error instanceof MetadataRefused) return error
    throw error
  }
}

const WIRE_NAMES: Readonly<Record<string, string>> = {
  name: 'client_name',
  scopes: 'scope',
  grants: 'grant_types',
  public: 'token_endpoint_auth_method',
}

/** `redirectUris` as the RFC spells it. */
function wireName(member: string): string {
  return WIRE_NAMES[member] ?? member.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
