import type { VerifiedToken } from '@scopegate/oauth-model'
import { formatScope, meet, parseScopes, type Scope } from '@scopegate/smart-scopes'
import type { ScopeGrant, ScopeRemark } from '../token/grant-scopes.ts'

export interface ExchangeWish {
  /** As the client asked; missing: all that the subject token holds. */
  readonly requested: string | undefined
  readonly subject: VerifiedToken
  /** What the client is registered for. */
  readonly registered: string
  /** What the policy allows at most. */
  readonly ceiling: string | undefined
}

/**
 * What an exchanged token holds: requested ⊓ subject token ⊓ registered ⊓ policy, judged on what
 * the scopes mean. Only scopes for FHIR resources, and only those whose context the subject token
 * fills: an exchange never makes more of a token than it was.
 */
export function exchangedScopes(wish: ExchangeWish): ScopeGrant {
  const { subject, registered, ceiling } = wish
  const remarks: ScopeRemark[] = []
  const held = parseScopes(subject.scope).scopes
  const asked = parseScopes(wish.requested ?? subject.scope)
  for (const { text, problem } of asked.problems) {
    remarks.push({
      ...{ scope: text, code: 'scope_not_evaluable' },
      ...{ reason: problem.message, fix: problem.fix },
    })
  }
  let scopes: readonly Scope[] = asked.scopes.filter((scope) => {
    if (scope.kind !== 'resource') return false
    const missing = missingContext(scope.context, subject)
    if (missing === undefined) return true
    remarks.push({
      scope: formatScope(scope),
      code: 'scope_needs_context',
      reason: `the subject token ${missing}`,
      fix: 'leave it out, or get a subject token that does',
    })
    return false
  })
  const limits: readonly (readonly [by: string, allowed: readonly Scope[]])[] = [
    ['the subject token does not hold it', held],
    ['the client is not registered for it', parseScopes(registered).scopes],
    ...(ceiling === undefined
      ? []
      : [['the policy of the exchange does not allow it', parseScopes(ceiling).scopes] as const]),
  ]
  for (const [reason, allowed] of limits) {
    const met = meet(scopes, allowed)
    for (const scope of met.refused) {
      remarks.push({
        scope: formatScope(scope),
        code: 'scope_not_registered',
        ...{ reason, fix: 'ask for less, or allow it there' },
      })
    }
    for (const { requested, granted } of met.narrowed) {
      remarks.push({
        scope: formatScope(requested),
        code: 'scope_narrowed',
        ...{ reason: `${reason} in full`, fix: 'ask for less, or allow it there' },
        granted: granted.map(formatScope).join(' '),
      })
    }
    scopes = met.granted
  }
  return { granted: scopes.map(formatScope), remarks }
}

/** Absence never widens: a token of a user never becomes one of a system, nor the other way. */
function missingContext(context: string, subject: VerifiedToken): string | undefined {
  const isUsers = subject.fhirUser !== undefined || subject.hasUser === true
  if (context === 'system') return isUsers ? 'is that of a user' : undefined
  if (context === 'user') return subject.fhirUser === undefined ? 'has no `fhirUser`' : undefined
  return subject.patient === undefined ? 'has no `patient`' : undefined
}
