import {
  type Access,
  allowedFor,
  anyOf,
  type CompartmentMode,
  type Predicate,
  type VisibleVia,
} from '@scopegate/fhir-model'
import { type CompartmentRow, compartmentKey } from '../keys.ts'
import type { ParamNumbers } from '../param-numbers.ts'
import { storable } from '../text-keys.ts'
import {
  and,
  bothOf,
  type Condition,
  EVERYTHING,
  eitherOf,
  exactly,
  keysAll,
  LEFT_TO_MATCHER,
  NOTHING,
  or,
  type Prefilter,
} from './ast.ts'
import { clausePrefilter } from './clause.ts'

const COMPARTMENT_ROW = {
  definition: 'comp',
  guarded: 'guard',
  primary: 'prim',
} as const satisfies Record<CompartmentMode, CompartmentRow>

/** What SQL can say of a predicate on `type` under `access`. @throws {TypeError} for the unknown. */
export function predicatePrefilter(
  type: string,
  predicate: Predicate,
  access: Access,
  params: ParamNumbers,
  base: string | undefined,
): Prefilter {
  return prefilter(type, predicate, { access, params, base, nested: false })
}

/** A superset of what is visible (under `r` or `s`), of any type or of those named. */
export function visibleCondition(
  access: Access,
  params: ParamNumbers,
  base: string | undefined,
  among?: ReadonlySet<string>,
): Condition {
  return visible({ access, params, base, nested: true }, among)
}

interface Context {
  readonly access: Access
  readonly params: ParamNumbers
  readonly base: string | undefined
  /** Within the predicate of a resource that makes another visible. */
  readonly nested: boolean
}

function prefilter(type: string, predicate: Predicate, context: Context): Prefilter {
  switch (predicate.kind) {
    case 'all':
      return exactly(EVERYTHING)
    case 'none':
      return exactly(NOTHING)
    case 'and':
      if (predicate.of.length === 0) throw new TypeError('an empty conjunction has no meaning')
      return bothOf(predicate.of.map((part) => prefilter(type, part, context)))
    case 'or':
      return eitherOf(predicate.of.map((part) => prefilter(type, part, context)))
    case 'id':
      return exactly(
        predicate.ids.length === 0 ? NOTHING : { kind: 'ids', ids: predicate.ids.map(storable) },
      )
    case 'clause':
      return clausePrefilter(type, predicate, context.params, context.base)
    case 'compartment':
      return exactly(keysAll(compartmentKey(COMPARTMENT_ROW[predicate.mode], predicate.id)))
    case 'no-foreign-patient':
      return exactly(EVERYTHING)
    case 'visible-via':
      return visibleVia(predicate, context)
    default:
      throw new TypeError(`no SQL for a predicate of kind ${(predicate as Predicate).kind}`)
  }
}

function visibleVia(predicate: VisibleVia, context: Context): Prefilter {
  if (context.nested) return LEFT_TO_MATCHER
  switch (predicate.rule) {
    case 'targets':
      return {
        condition: { kind: 'refers-to', param: predicate.param, target: visible(context) },
        exact: false,
      }
    case 'referrers':
      return { condition: { kind: 'referred-by', source: visible(context) }, exact: false }
    case 'attachments':
      return {
        condition: or(
          { kind: 'refers-to', param: 'securityContext', target: visible(context) },
          { kind: 'referred-by', source: visible(context, ATTACHING) },
        ),
        exact: false,
      }
    case 'entries':
      return LEFT_TO_MATCHER
    default:
      throw new TypeError(`no SQL for a visibility rule ${(predicate as VisibleVia).rule}`)
  }
}

const ATTACHING: ReadonlySet<string> = new Set(['DocumentReference', 'DiagnosticReport', 'Media'])

/** What is visible under `r` or `s`. */
function visible(context: Context, among?: ReadonlySet<string>): Condition {
  const { access } = context
  const types = new Set([...access.allowed.r.keys(), ...access.allowed.s.keys()])
  const byCondition = new Map<string, { condition: Condition; types: string[] }>()
  for (const type of types) {
    if (among !== undefined && !among.has(type)) continue
    const predicate = anyOf(allowedFor(access, 'r', type), allowedFor(access, 's', type))
    const { condition } = prefilter(type, predicate, { ...context, nested: true })
    if (condition.kind === 'nothing') continue
    const text = JSON.stringify(condition)
    const group = byCondition.get(text)
    if (group === undefined) byCondition.set(text, { condition, types: [type] })
    else group.types.push(type)
  }
  return or(
    ...[...byCondition.values()].map((group) =>
      and({ kind: 'types', types: group.types }, group.condition),
    ),
  )
}
