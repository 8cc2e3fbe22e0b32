import type { Letter } from '@scopegate/fhir-model'

export const CONTEXTS = ['patient', 'user', 'system'] as const
export type Context = (typeof CONTEXTS)[number]

/** Permissions as SMART v1 spells them, with what they mean in v2. */
export const V1_PERMISSIONS: ReadonlyMap<string, readonly Letter[]> = new Map([
  ['read', ['r', 's']],
  ['write', ['c', 'u', 'd']],
  ['*', ['c', 'r', 'u', 'd', 's']],
])
export type V1Word = 'read' | 'write' | '*'

/** `category=a,b`: one parameter of a constraint. */
export interface ScopeParam {
  readonly name: string
  /** Alternatives in FHIR search syntax (`\,` `\|` `\$` escaped), decoded. INVARIANT: not empty. */
  readonly values: readonly string[]
}

/** A scope that gives access to FHIR resources. */
export interface ResourceScope {
  readonly kind: 'resource'
  readonly context: Context
  /** An R4 resource type, or `*`. */
  readonly type: string
  /** In the order `cruds`. INVARIANT: not empty. */
  readonly letters: readonly Letter[]
  /** All must hold; empty means unconstrained. Only `parseScope` and `meetScopes` make it. */
  readonly params: readonly ScopeParam[]
  /** How v1 spelled the permissions; missing for v2. */
  readonly v1?: V1Word
}

/** `openid`, `launch/patient`, `offline_access` …: gives no access to resources. */
export interface PlainScope {
  readonly kind: 'plain'
  readonly value: string
}

export type Scope = ResourceScope | PlainScope

export type ScopeReason =
  | 'bad_characters'
  | 'too_long'
  | 'bad_shape'
  | 'bad_permissions'
  | 'unknown_type'
  | 'constraint_on_v1'
  | 'bad_constraint'

/** Why a scope cannot be used: one sentence on what is wrong, one on what to do. */
export interface ScopeProblem {
  readonly reason: ScopeReason
  readonly message: string
  readonly fix: string
}
