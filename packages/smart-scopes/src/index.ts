export type { AccessPolicy, Sharing } from './access-policy.ts'
export { DEFAULT_POLICY, DEFAULT_SHARED_TYPES } from './access-policy.ts'
export type { CompiledAccess, Grant, GrantedToken, VoidedScope } from './compile-access.ts'
export { compileAccess } from './compile-access.ts'
export { covers, coversTogether } from './covers.ts'
export type { AccessRequest, Decision, Join, JoinDecision } from './decide.ts'
export { canJoin, decide } from './decide.ts'
export type { AccessDescription } from './describe-access.ts'
export { describeAccess, describePredicate, formatAccessDescription } from './describe-access.ts'
export type {
  DescribeScopeOptions,
  ScopeChoice,
  ScopeDescription,
  ScopeKind,
} from './describe-scope.ts'
export { describeScope } from './describe-scope.ts'
export { explainHidden } from './explain-hidden.ts'
export { explainRefusedBody } from './explain-refused-body.ts'
export { formatConstraint, formatScope, scopeKey } from './format-scope.ts'
export type { Interaction } from './interaction.ts'
export { INTERACTION_LETTERS } from './interaction.ts'
export type { MetScopes } from './meet-scopes.ts'
export { meet, meetScopes, withoutCovered } from './meet-scopes.ts'
export type { ParsedScope, ParsedScopes } from './parse-scope.ts'
export { checkScopeEvaluable, parseScope, parseScopes } from './parse-scope.ts'
export type { Caller, ResolvedContext } from './resolve-context.ts'
export type {
  Context,
  PlainScope,
  ResourceScope,
  Scope,
  ScopeParam,
  ScopeProblem,
  ScopeReason,
} from './scope.ts'
export { CONTEXTS, V1_PERMISSIONS } from './scope.ts'
export type { Verdict } from './weigh-scopes.ts'
export type { ScopeLanguage, ScopeWords } from './words/scope-words.ts'
export { SCOPE_WORDS } from './words/scope-words.ts'
