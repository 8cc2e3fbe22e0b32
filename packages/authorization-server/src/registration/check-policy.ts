import type { RegistrationPolicy } from '@scopegate/oauth-model'
import { coversTogether, formatScope, parseScopes } from '@scopegate/smart-scopes'
import type { CheckedRegistration } from '../clients/check-registration.ts'
import { MetadataRefused } from './metadata-refused.ts'

const ADDRESSES = [
  ['jwksUri', 'jwks_uri'],
  ['launchUrl', 'launch_url'],
  ['backchannelLogoutUri', 'backchannel_logout_uri'],
  ['logoUri', 'logo_uri'],
  ['clientUri', 'client_uri'],
  ['policyUri', 'policy_uri'],
  ['tosUri', 'tos_uri'],
] as const

/**
 * Refuses what goes beyond the policy of the initial access token. Scopes are judged by what they
 * mean. Every address must be on a host of the policy, so that a client cannot show, or make this
 * server call, an address that is somebody else's.
 *
 * @throws {MetadataRefused} @see RFC 7591 §5
 */
export function checkPolicy(
  checked: CheckedRegistration,
  authMethod: string,
  policy: RegistrationPolicy,
): void {
  const grant = checked.grants.find((each) => !policy.grants.includes(each))
  if (grant !== undefined) {
    throw beyond('grant_types', `${grant} is not allowed; ${policy.grants.join(', ')} are`)
  }
  if (!policy.authMethods.includes(authMethod)) {
    throw beyond(
      'token_endpoint_auth_method',
      `${authMethod} is not allowed; ${policy.authMethods.join(', ')} are`,
    )
  }
  const allowed = parseScopes(policy.scopes).scopes
  const scope = parseScopes(checked.scopes).scopes.find((each) => !coversTogether(allowed, each))
  if (scope !== undefined) {
    throw beyond('scope', `${formatScope(scope)} is not allowed; within ${policy.scopes} it is`)
  }
  for (const uri of checked.redirectUris) {
    if (isAllowed(uri, policy)) continue
    throw new MetadataRefused('invalid_redirect_uri', `redirect_uris: ${uri}: ${hostsText(policy)}`)
  }
  for (const uri of checked.postLogoutRedirectUris) {
    if (!isAllowed(uri, policy)) {
      throw beyond('post_logout_redirect_uris', `${uri}: ${hostsText(policy)}`)
    }
  }
  for (const [member, name] of ADDRESSES) {
    const uri = checked[member]
    if (uri !== undefined && !isAllowed(uri, policy)) throw beyond(name, hostsText(policy))
  }
}

function isAllowed(uri: string, { redirectHosts }: RegistrationPolicy): boolean {
  const url = URL.parse(uri)
  if (url === null) return false
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  return redirectHosts.includes(isWeb ? url.hostname : url.protocol)
}

function hostsText({ redirectHosts }: RegistrationPolicy): string {
  return redirectHosts.length === 0
    ? 'no host is allowed'
    : `its host is not allowed; ${redirectHosts.join(', ')} are`
}

function beyond(member: string, why: string): MetadataRefused {
  return new MetadataRefused('invalid_client_metadata', `${member}: ${why}`)
}
