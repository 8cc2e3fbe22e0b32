import { LoginRefused } from './login-refused.ts'
import { allowedTenants, type ResolvedProvider } from './upstream-provider.ts'

type Claims = Readonly<Record<string, unknown>>

/**
 * Whether the account belongs to an organisation that may sign in: Entra's directory (`tid`),
 * Google's Workspace domain (`hd`). The parameters of the request only choose what the provider
 * shows; this is the check.
 *
 * @throws {LoginRefused} `tenant_not_allowed` or `hosted_domain_not_allowed`.
 */
export function checkTenant(provider: ResolvedProvider, claims: Claims): void {
  if (provider.rules.quirk === 'entra') checkDirectory(provider, claims)
  const { hostedDomain } = provider
  if (hostedDomain === undefined || claims.hd === hostedDomain) return
  throw new LoginRefused('hosted_domain_not_allowed', {
    provider: provider.name,
    expected: `\`hd\` \`${hostedDomain}\``,
    got: typeof claims.hd === 'string' ? 'another' : 'none: a private account',
  })
}

function checkDirectory(provider: ResolvedProvider, { tid, iss }: Claims): void {
  const allowed = allowedTenants(provider)
  const named = typeof tid === 'string' ? tid.toLowerCase() : undefined
  const listed = allowed?.some((tenant) => tenant.toLowerCase() === named) ?? false
  // `iss` names the directory too. Both come from one signed token: a difference is no accident.
  const agrees = allowed === undefined || (named !== undefined && String(iss).includes(named))
  if (agrees && (listed || allowed === undefined)) return
  throw new LoginRefused('tenant_not_allowed', {
    provider: provider.name,
    expected: `\`tid\` ${(allowed ?? []).map((tenant) => `\`${tenant}\``).join(', ')}`,
    got: named === undefined ? 'none' : `\`${named.slice(0, 64)}\``,
  })
}

/**
 * Remarks on groups that an Entra token does not hold because there are too many (more than 200).
 *
 * @see https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference#groups-overage-claim
 */
export function remarkOnOverage(provider: ResolvedProvider, claims: Claims): readonly string[] {
  if (provider.rules.quirk !== 'entra') return []
  const elsewhere = claims._claim_names
  const over =
    claims.hasgroups === true ||
    claims.hasgroups === 'true' ||
    (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, 'groups'))
  if (!over) return []
  return [
    'the user is in more groups than the token holds, so it holds none: emit only groups assigned to the application, or use app roles (claim `roles`)',
  ]
}
