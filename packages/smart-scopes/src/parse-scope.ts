import { isResourceType, LETTERS, type Letter } from '@scopegate/fhir-model'
import { constraintProblem } from './constraint-clauses.ts'
import { parseConstraint } from './parse-constraint.ts'
import {
  type Context,
  type ResourceScope,
  type Scope,
  type ScopeProblem,
  type ScopeReason,
  V1_PERMISSIONS,
  type V1Word,
} from './scope.ts'

export type ParsedScope =
  | { readonly ok: true; readonly scope: Scope }
  | { readonly ok: false; readonly text: string; readonly problem: ScopeProblem }

export interface ParsedScopes {
  readonly scopes: readonly Scope[]
  readonly problems: readonly { readonly text: string; readonly problem: ScopeProblem }[]
}

const MAX_LENGTH = 4096
// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/
const LOOKS_CLINICAL = /^(?:patient|user|system)\//i
const CLINICAL = /^(patient|user|system)\/([A-Za-z]+|\*)\.([A-Za-z*]*)(?:\?(.*))?$/
const V2_PERMISSIONS = /^c?r?u?d?s?$/

/**
 * Parses one scope. Every text gets an answer: a scope, or the problem with it. Text that starts
 * like a clinical scope must be one, so that a typo is reported instead of becoming "no scope". A
 * constraint that cannot be evaluated exactly is a problem of the whole scope: without it the scope
 * would permit more.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export function parseScope(text: string): ParsedScope {
  const refuse = (problem: ScopeProblem): ParsedScope => ({ ok: false, text, problem })

  if (text.length > MAX_LENGTH)
    return refuse(
      problemOf('too_long', `a scope of ${text.length} characters`, 'split it into several scopes'),
    )
  if (!SCOPE_TOKEN.test(text))
    return refuse(
      problemOf(
        'bad_characters',
        text === '' ? 'an empty scope' : 'a character that scopes cannot hold',
        'percent-encode spaces, quotes, backslashes and everything outside ASCII',
      ),
    )
  if (!LOOKS_CLINICAL.test(text)) return { ok: true, scope: { kind: 'plain', value: text } }

  const [, context, type, suffix, constraint] = CLINICAL.exec(text) ?? []
  if (context === undefined || type === undefined || suffix === undefined)
    return refuse(
      problemOf(
        'bad_shape',
        'it is not `context/Type.permissions`',
        'write patient/, user/ or system/ in lower case, a resource type or *, a dot and the permissions, as in `patient/Observation.rs`',
      ),
    )

  const words = V1_PERMISSIONS.get(suffix)
  if (words === undefined && (suffix === '' || !V2_PERMISSIONS.test(suffix)))
    return refuse(permissionsProblem(suffix))
  if (type !== '*' && !isResourceType(type)) return refuse(typeProblem(type))
  if (words !== undefined && constraint !== undefined)
    return refuse(
      problemOf(
        'constraint_on_v1',
        `\`.${suffix}\` is SMART v1, which has no constraints`,
        `write \`.${words.join('')}?…\``,
      ),
    )

  const letters: readonly Letter[] = words ?? LETTERS.filter((letter) => suffix.includes(letter))
  const parsed =
    constraint === undefined ? { ok: true as const, params: [] } : parseConstraint(constraint)
  if (!parsed.ok) return refuse(parsed.problem)
  const scope: ResourceScope = {
    kind: 'resource',
    context: context as Context,
    type,
    letters,
    params: parsed.params,
    ...(words === undefined ? {} : { v1: suffix as V1Word }),
  }
  const problem = checkScopeEvaluable(scope)
  return problem === undefined ? { ok: true, scope } : refuse(problem)
}

/** Parses a space-separated list, as in a token. Order is kept, repeated scopes count once. */
export function parseScopes(list: string): ParsedScopes {
  const texts = [...new Set(list.split(' '))].filter((text) => text !== '')
  const parsed = texts.map(parseScope)
  return {
    scopes: parsed.flatMap((each) => (each.ok ? [each.scope] : [])),
    problems: parsed.flatMap((each) =>
      each.ok ? [] : [{ text: each.text, problem: each.problem }],
    ),
  }
}

/**
 * Whether everything in the scope can be evaluated exactly; `undefined` when it can. A scope for
 * all types counts when its constraint has a meaning for at least one.
 */
export function checkScopeEvaluable(scope: Scope): ScopeProblem | undefined {
  if (scope.kind === 'plain') return undefined
  if (scope.type !== '*' && !isResourceType(scope.type)) return typeProblem(scope.type)
  return constraintProblem(scope)
}

function permissionsProblem(suffix: string): ScopeProblem {
  if (suffix === '')
    return problemOf(
      'bad_permissions',
      'it names no permission',
      'append letters of `cruds`, as in `.rs`',
    )
  const sorted = LETTERS.filter((letter) => suffix.includes(letter)).join('')
  const reordered = sorted.length === suffix.length
  return problemOf(
    'bad_permissions',
    reordered
      ? `permissions \`${shorten(suffix)}\` are out of order`
      : `\`${shorten(suffix)}\` are not permissions`,
    reordered
      ? `write \`.${sorted}\``
      : 'write letters of `cruds` in this order, or read, write, *',
  )
}

function typeProblem(type: string): ScopeProblem {
  return problemOf(
    'unknown_type',
    `\`${shorten(type)}\` is not an R4 resource type`,
    'write the type as FHIR spells it, with capitals, as in `Observation`',
  )
}

function problemOf(reason: ScopeReason, message: string, fix: string): ScopeProblem {
  return { reason, message, fix }
}

function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 63)}…` : text
}
