import type { ScopePolicy } from '../connection.ts'

export interface ScopeQuestion {
  readonly asked: readonly string[]
  readonly granted: readonly string[]
  readonly policy: ScopePolicy
  /** A refresh token came: then `offline_access` was granted, listed or not. */
  readonly hasRefreshToken: boolean
}

export interface ScopeOutcome {
  readonly missing: readonly string[]
  readonly extra: readonly string[]
  /** By the policy there is no token. */
  readonly refused: boolean
}

/**
 * Compares what was asked for with what came. `<resource>/.default` stands for a list that only the
 * provider knows, so nothing is missing and nothing is too much where it was asked for.
 */
export function judgeScopes({
  asked,
  granted,
  policy,
  hasRefreshToken,
}: ScopeQuestion): ScopeOutcome {
  const isWhole = asked.some((scope) => scope.endsWith('/.default'))
  const missing = asked.filter(
    (scope) =>
      !granted.includes(scope) && !isWhole && !(scope === 'offline_access' && hasRefreshToken),
  )
  const extra = isWhole ? [] : granted.filter((scope) => !asked.includes(scope))
  const refused =
    (policy === 'require-subset' && missing.length > 0) ||
    (policy === 'exact' && missing.length + extra.length > 0)
  return { missing, extra, refused }
}
