import {
  type Access,
  allowedFor,
  anyOf,
  compilePredicate,
  type FhirResource,
  type Letter,
  type Predicate,
  type ReadAnswer,
  type SearchAnswer,
  type SearchQuery,
  type StoredVersion,
} from '@scopegate/fhir-model'
import type { Step } from './step.ts'

/**
 * The second look at what a backend gave, before it leaves. A resource of a type that the token
 * was not granted, or that was not asked for, never leaves. With `recheck` every resource is judged
 * anew; a repository that judges in its own process does not need that. What is dropped is an
 * error of the backend: the operator is told, and a total is not given.
 */
export function restrictSearch(step: Step, query: SearchQuery, answer: SearchAnswer): SearchAnswer {
  const { access } = step.caller
  const matches = answer.matches.filter(
    (version) =>
      version.type === query.type && leaves(step, allowedFor(access, 's', version.type), version),
  )
  const includes = answer.includes.filter((version) =>
    leaves(step, visible(access, version.type), version),
  )
  const dropped =
    answer.matches.length - matches.length + (answer.includes.length - includes.length)
  if (dropped === 0) return answer
  report(step, dropped)
  const { total: _, ...rest } = answer
  return { ...rest, matches, includes }
}

/** As for a search: an answer that is not for this caller, or not for this question, is none. */
export function restrictRead(
  step: Step,
  asked: { readonly type: string; readonly id: string },
  answer: ReadAnswer,
): ReadAnswer {
  if (answer.kind === 'absent') return answer
  const { version } = answer
  const predicate = allowedFor(step.caller.access, 'r', version.type)
  const isAsked = version.type === asked.type && version.id === asked.id
  if (isAsked && leaves(step, predicate, version)) return answer
  report(step, 1)
  return { kind: 'absent', checks: [] }
}

const visibleByType = new WeakMap<Access, Map<string, Predicate>>()

/** `r` or `s`; the same object for the same question, since matchers are kept by it. */
function visible(access: Access, type: string): Predicate {
  let known = visibleByType.get(access)
  if (known === undefined) {
    known = new Map()
    visibleByType.set(access, known)
  }
  let predicate = known.get(type)
  if (predicate === undefined) {
    const granted = (letter: Letter) => allowedFor(access, letter, type)
    predicate = anyOf(granted('r'), granted('s'))
    known.set(type, predicate)
  }
  return predicate
}

function leaves(step: Step, predicate: Predicate, version: StoredVersion): boolean {
  if (predicate.kind === 'all') return true
  if (predicate.kind === 'none') return false
  if (!step.endpoint.settings.recheck || version.body === '') return true
  const matcher = compilePredicate(version.type, predicate, { base: step.endpoint.baseUrl })
  // What depends on other resources was judged where these are.
  return !matcher.sync || matcher.test(JSON.parse(version.body) as FhirResource)
}

function report(step: Step, dropped: number): void {
  const error = new Error(`the backend gave ${dropped} resources that the token does not permit`)
  step.endpoint.onError(error, step.call.correlationId)
}
