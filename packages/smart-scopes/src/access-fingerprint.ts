import { createHash } from 'node:crypto'
import type { AccessPolicy } from './access-policy.ts'
import type { Grant } from './compile-access.ts'
import { scopeKey } from './format-scope.ts'
import type { Caller } from './resolve-context.ts'

/**
 * Stands for a caller and all that it is permitted: SHA-256, base64url. The order and spelling of
 * the scopes do not matter; client, subject, patient, user, scopes that take effect and policy do.
 */
export function fingerprintOf(
  caller: Caller,
  grants: readonly Grant[],
  policy: AccessPolicy,
): string {
  const parts = [
    [
      caller.issuer,
      caller.clientId,
      caller.subject,
      caller.patient ?? null,
      caller.fhirUser ?? null,
    ],
    [
      ...new Set(grants.map(({ scope, context }) => JSON.stringify([scopeKey(scope), context]))),
    ].sort(),
    [
      policy.compartment,
      policy.userPolicy,
      policy.systemOnUserToken,
      policy.v1Scopes,
      Object.entries(policy.sharedTypes).sort(([a], [b]) => (a < b ? -1 : 1)),
      policy.baseUrls,
    ],
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
