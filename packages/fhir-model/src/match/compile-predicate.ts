import { isInPatientCompartment } from '../compartments/patient-compartment.ts'
import type { Predicate, VisibleVia } from '../predicate.ts'
import type { FhirResource } from '../resource.ts'
import { compileClause, type MatchOptions } from './compile-clause.ts'
import { addsForeignPatient } from './foreign-patient.ts'
import type { VisibilityLookup } from './visibility-lookup.ts'
import { visibleVia } from './visible-via.ts'

/** That a body was submitted by the client, and what it is to replace. */
export interface SubmittedBody {
  /** The stored version; missing on create. */
  readonly previous?: FhirResource
}

/**
 * A compiled predicate.
 *
 * - `sync`: no part of it depends on other resources; `test` is the whole truth.
 * - otherwise `permits` asks a lookup for what `visible-via` parts need, and only when the other
 *   parts leave the question open.
 */
export type Matcher =
  | { readonly sync: true; readonly test: SyncTest; readonly permits: PermitsTest }
  | { readonly sync: false; readonly test?: undefined; readonly permits: PermitsTest }

/** `submitted` is given for a body that the client sent, and missing for a stored resource. */
export type SyncTest = (resource: FhirResource, submitted?: SubmittedBody) => boolean
export type PermitsTest = (
  resource: FhirResource,
  lookup: VisibilityLookup,
  submitted?: SubmittedBody,
) => boolean | Promise<boolean>

const compiled = new WeakMap<Predicate, Map<string, Matcher>>()

/**
 * Compiles a predicate for resources of `type`; memoised by the identity of the predicate. What is
 * not understood is false, and so is every resource of another type. Nothing empty means all: an
 * `and` or `or` of nothing and an id list of nothing are false.
 */
export function compilePredicate(
  type: string,
  predicate: Predicate,
  options?: MatchOptions,
): Matcher {
  const key = `${type} ${options?.base ?? ''}`
  let byType = compiled.get(predicate)
  if (byType === undefined) {
    byType = new Map()
    compiled.set(predicate, byType)
  }
  const known = byType.get(key)
  if (known !== undefined) return known
  const matcher = matcherOf(compileNode(type, predicate, options))
  byType.set(key, matcher)
  return matcher
}

/**
 * Whether `predicate` holds for `resource`: a stored one, or a body that a client submitted (then
 * `submitted` says what it replaces). Answers without a promise when no lookup is needed.
 */
export function permits(
  type: string,
  predicate: Predicate,
  resource: FhirResource,
  lookup: VisibilityLookup,
  submitted?: SubmittedBody,
  options?: MatchOptions,
): boolean | Promise<boolean> {
  return compilePredicate(type, predicate, options).permits(resource, lookup, submitted)
}

type Node =
  | { readonly sync: true; readonly test: SyncTest }
  | { readonly sync: false; readonly ask: AsyncTest }
type AsyncTest = (
  resource: FhirResource,
  lookup: VisibilityLookup,
  submitted: SubmittedBody | undefined,
) => Promise<boolean>

function matcherOf(node: Node): Matcher {
  if (!node.sync) return { sync: false, permits: node.ask }
  const { test } = node
  return { sync: true, test, permits: (resource, _lookup, submitted) => test(resource, submitted) }
}

const NEVER: Node = { sync: true, test: () => false }

function compileNode(type: string, predicate: Predicate, options?: MatchOptions): Node {
  switch (predicate.kind) {
    case 'all':
      return { sync: true, test: (resource) => resource.resourceType === type }
    case 'none':
      return NEVER
    case 'and':
      return compileJunction(type, predicate.of, false, options)
    case 'or':
      return compileJunction(type, predicate.of, true, options)
    case 'id': {
      const ids = new Set(predicate.ids)
      return {
        sync: true,
        test: ({ resourceType, id }) => resourceType === type && id !== undefined && ids.has(id),
      }
    }
    case 'clause':
      return { sync: true, test: compileClause(type, predicate, options) }
    case 'compartment': {
      if (predicate.compartment !== 'Patient') return NEVER
      const { id, mode } = predicate
      return {
        sync: true,
        test: (resource) =>
          resource.resourceType === type && isInPatientCompartment(resource, id, mode, options),
      }
    }
    case 'no-foreign-patient': {
      const { id } = predicate
      return {
        sync: true,
        test: (resource, submitted) =>
          resource.resourceType === type &&
          (submitted === undefined ||
            !addsForeignPatient(resource, submitted.previous, id, options)),
      }
    }
    case 'visible-via':
      return compileVisibleVia(type, predicate, options)
    default:
      return NEVER
  }
}

/** `until`: the answer of one part that settles the whole (true for `or`). */
function compileJunction(
  type: string,
  of: readonly Predicate[],
  until: boolean,
  options?: MatchOptions,
): Node {
  if (of.length === 0) return NEVER
  const nodes = of.map((part) => compileNode(type, part, options))
  const tests = nodes.flatMap((node) => (node.sync ? [node.test] : []))
  const asks = nodes.flatMap((node) => (node.sync ? [] : [node.ask]))
  const settled: SyncTest = (resource, submitted) => {
    for (let i = 0; i < tests.length; i++) {
      if (tests[i]!(resource, submitted) === until) return true
    }
    return false
  }
  if (asks.length === 0) {
    return until
      ? { sync: true, test: settled }
      : { sync: true, test: (resource, submitted) => !settled(resource, submitted) }
  }
  return {
    sync: false,
    ask: async (resource, lookup, submitted) => {
      if (settled(resource, submitted)) return until
      for (const ask of asks) if ((await ask(resource, lookup, submitted)) === until) return until
      return !until
    },
  }
}

function compileVisibleVia(type: string, via: VisibleVia, options?: MatchOptions): Node {
  const ask = visibleVia(type, via, options)
  if (ask === undefined) return NEVER
  return {
    sync: false,
    ask: async (resource, lookup) => resource.resourceType === type && ask(resource, lookup),
  }
}
