import { type Check, failed } from '@scopegate/checks'
import { type Claims, claimAt } from './claim-places.ts'
import type { Issuer } from './issuer.ts'
import type { VerificationKey } from './key-source.ts'
import { shown } from './shown.ts'

/** Whether the token is of the tenant that is trusted; the failure, if it is not. */
export function checkTenant(claims: Claims, { tenant }: Issuer): Check | undefined {
  if (tenant === undefined) return undefined
  const value = claimAt(claims, tenant.claim)
  if (typeof value === 'string' && value.toLowerCase() === tenant.value.toLowerCase()) {
    return undefined
  }
  return failed('issuer_other_tenant', {
    expected: `${tenant.claim}: ${shown(tenant.value)}`,
    got: value === undefined ? `no ${tenant.claim}` : `${tenant.claim}: ${shown(value)}`,
  })
}

/**
 * Whether a key may sign for this issuer, where the set says for whom it is: Entra publishes the
 * keys of several issuers together.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
 */
export function checkKeyIssuer(key: VerificationKey, issuer: Issuer): Check | undefined {
  if (key.issuer === undefined) return undefined
  const named = key.issuer.replace('{tenantid}', issuer.tenant?.value ?? '{tenantid}')
  if ([issuer.issuer, ...(issuer.aliases ?? [])].includes(named)) return undefined
  return failed('key_of_other_issuer', { expected: shown(issuer.issuer), got: shown(named) })
}
