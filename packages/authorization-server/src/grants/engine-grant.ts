import type { AdapterPayload } from 'oidc-provider'
import type { LaunchGrant } from './grants.ts'

/** The scopes that ID tokens and `offline_access` are about; the engine keeps them apart. */
export const OIDC_SCOPES = ['openid', 'fhirUser', 'profile', 'email', 'offline_access'] as const

/** A grant as the engine has it. It is made of ours, so that there is one record, which both ask. */
export function engineGrantOf(grant: LaunchGrant): AdapterPayload {
  const { scopes, resource } = grant
  const oidc = scopes.filter((scope) => (OIDC_SCOPES as readonly string[]).includes(scope))
  return {
    kind: 'Grant',
    jti: grant.grantId,
    accountId: grant.userId,
    clientId: grant.clientId,
    iat: grant.createdAt,
    exp: grant.expiresAt,
    ...(oidc.length === 0 ? {} : { openid: { scope: oidc.join(' ') } }),
    // All of them: what a token response echoes is the scope for the resource.
    resources: { [resource]: scopes.join(' ') },
  }
}
