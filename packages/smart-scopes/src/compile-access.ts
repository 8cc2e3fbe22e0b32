import { type Check, callerView, failed, type ReasonCode } from '@scopegate/checks'
import {
  type Access,
  LETTERS,
  type Letter,
  type Predicate,
  RESOURCE_TYPES,
} from '@scopegate/fhir-model'
import { fingerprintOf } from './access-fingerprint.ts'
import { type AccessPolicy, DEFAULT_POLICY } from './access-policy.ts'
import { constraintClauses } from './constraint-clauses.ts'
import { contextPredicate } from './context-predicate.ts'
import { formatScope } from './format-scope.ts'
import { parseScope } from './parse-scope.ts'
import {
  type Caller,
  type ContextAnswer,
  type ResolvedContext,
  resolveContext,
} from './resolve-context.ts'
import { CONTEXTS, type Context, type ResourceScope } from './scope.ts'
import { type Conjunction, unionOf } from './simplify-grants.ts'

/** The caller with the scopes it was granted, space-separated. A `VerifiedToken` is one. */
export interface GrantedToken extends Caller {
  readonly scope: string
  /** What the token says of its rights, where that is not all in `scope`. */
  readonly scopeOrigin?: string
}

/** A scope that grants what it says, with whose data its context means. */
export interface Grant {
  readonly scope: ResourceScope
  readonly context: ResolvedContext
}

/** A scope that grants nothing, and why. */
export interface VoidedScope {
  /** As it stands in the token. */
  readonly scope: string
  /** Missing for a scope that could not be parsed. */
  readonly parsed?: ResourceScope
  readonly code: ReasonCode
  readonly why: string
  readonly fix: string
  /** For scopes whose context gives nothing: the failed check. */
  readonly check?: Check
}

export interface CompiledAccess {
  readonly access: Access
  readonly grants: readonly Grant[]
  readonly voided: readonly VoidedScope[]
  /** Scopes that have nothing to do with resources, such as `openid`. */
  readonly plain: readonly string[]
  readonly policy: AccessPolicy
  /** As of the token. */
  readonly scopeOrigin?: string
}

/**
 * What a verified token permits, as a predicate per letter and type: the union of its scopes, each
 * with its own context, letters and constraint. A scope that cannot be evaluated exactly, or whose
 * context the token does not fill, grants nothing and is reported in `voided`. Does not look at
 * signature, audience or times.
 */
export function compileAccess(
  token: GrantedToken,
  policy: AccessPolicy = DEFAULT_POLICY,
): CompiledAccess {
  const contexts = new Map<Context, ContextAnswer>(
    CONTEXTS.map((context) => [context, resolveContext(context, token, policy)]),
  )
  const grants: Grant[] = []
  const voided: VoidedScope[] = []
  const plain: string[] = []
  for (const text of new Set(token.scope.split(' ').filter((part) => part !== ''))) {
    const parsed = parseScope(text)
    if (!parsed.ok) {
      const { message, fix } = parsed.problem
      voided.push({ scope: text, code: 'scopes_void', why: message, fix })
      continue
    }
    const { scope } = parsed
    if (scope.kind === 'plain') plain.push(text)
    else if (scope.v1 !== undefined && !policy.v1Scopes)
      voided.push({
        scope: text,
        code: 'scopes_void',
        why: `\`.${scope.v1}\` is SMART v1, which this endpoint does not accept`,
        fix: `write \`.${scope.letters.join('')}\``,
      })
    else {
      const answer = contexts.get(scope.context)!
      if (answer.ok) grants.push({ scope, context: answer.context })
      else voided.push(voidedByContext(scope, answer))
    }
  }
  return {
    access: {
      fingerprint: fingerprintOf(token, grants, policy),
      allowed: compileGrants(grants, policy),
    },
    grants,
    voided,
    plain,
    policy,
    ...(token.scopeOrigin === undefined ? {} : { scopeOrigin: token.scopeOrigin }),
  }
}

function voidedByContext(
  scope: ResourceScope,
  { code, detail }: ContextAnswer & { ok: false },
): VoidedScope {
  const text = formatScope(scope)
  const check = failed(code, { got: text, ...detail })
  return {
    scope: text,
    parsed: scope,
    code,
    why: callerView([check])?.text ?? code,
    fix: check.fix ?? '',
    check,
  }
}

function compileGrants(grants: readonly Grant[], policy: AccessPolicy): Access['allowed'] {
  const allowed: Record<Letter, Map<string, Predicate>> = {
    c: new Map(),
    r: new Map(),
    u: new Map(),
    d: new Map(),
    s: new Map(),
  }
  const types = grants.some(({ scope }) => scope.type === '*')
    ? RESOURCE_TYPES
    : new Set(grants.map(({ scope }) => scope.type))
  for (const type of types) {
    const mine = grants.flatMap((grant) => {
      if (grant.scope.type !== '*' && grant.scope.type !== type) return []
      const clauses = constraintClauses(grant.scope, type, policy.baseUrls[0])
      return clauses === undefined ? [] : [{ ...grant, clauses }]
    })
    for (const letter of LETTERS) {
      const conjunctions = mine.flatMap(({ scope, context, clauses }): Conjunction[] =>
        scope.letters.includes(letter)
          ? [{ base: contextPredicate(context, type, letter, policy), clauses }]
          : [],
      )
      const predicate = unionOf(conjunctions)
      if (predicate.kind !== 'none') allowed[letter].set(type, predicate)
    }
  }
  return allowed
}
