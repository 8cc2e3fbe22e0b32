import { extract } from '../extract/extract.ts'
import { parseReference } from '../extract/parse-reference.ts'
import type { VisibleVia } from '../predicate.ts'
import type { FhirResource, ResourceKey } from '../resource.ts'
import type { MatchOptions } from './compile-clause.ts'
import type { VisibilityLookup } from './visibility-lookup.ts'

type VisibilityTest = (resource: FhirResource, lookup: VisibilityLookup) => Promise<boolean>

/**
 * How the visibility of other resources is asked for; `undefined` for a rule that is not known.
 * What refers to nothing, and what has no id yet, is not visible.
 */
export function visibleVia(
  type: string,
  via: VisibleVia,
  options?: MatchOptions,
): VisibilityTest | undefined {
  switch (via.rule) {
    case 'targets':
      return (resource, lookup) =>
        anyVisible(localReferences(type, via.param, resource, options), lookup)
    case 'attachments':
      return async (resource, lookup) => {
        const context = securityContext(resource, options)
        if (context !== undefined && (await lookup.isVisible(context))) return true
        const key = keyOf(resource)
        return key !== undefined && lookup.hasVisibleAttachment(key)
      }
    case 'referrers':
      return async (resource, lookup) => {
        const key = keyOf(resource)
        return key !== undefined && lookup.hasVisibleReferrer(key)
      }
    case 'entries':
      return everyEntryVisible
    default:
      return undefined
  }
}

/** References of one resource that are looked at; those beyond make nothing visible. */
const MOST_TARGETS = 5000
const TARGETS_AT_ONCE = 250

async function anyVisible(
  keys: readonly ResourceKey[],
  lookup: VisibilityLookup,
): Promise<boolean> {
  const most = Math.min(keys.length, MOST_TARGETS)
  for (let i = 0; i < most; i += TARGETS_AT_ONCE) {
    const some = keys.slice(i, Math.min(i + TARGETS_AT_ONCE, most))
    const answers = await Promise.all(some.map((key) => lookup.isVisible(key)))
    if (answers.includes(true)) return true
  }
  return false
}

interface BundleEntry {
  readonly resource?: FhirResource
  readonly response?: { readonly outcome?: FhirResource } | null
}

/** An entry has a resource, and the answer to a request may have brought another one as its outcome. */
function resourcesIn(entry: BundleEntry | null): readonly (FhirResource | undefined)[] {
  const outcome = entry?.response?.outcome
  return outcome === undefined || outcome?.resourceType === 'OperationOutcome'
    ? [entry?.resource]
    : [entry?.resource, outcome]
}

/** A Bundle without entries holds nothing that could be visible. */
async function everyEntryVisible(bundle: FhirResource, lookup: VisibilityLookup): Promise<boolean> {
  const { entry } = bundle
  if (!Array.isArray(entry) || entry.length === 0) return false
  const inside = entry.flatMap((one) => resourcesIn(one as BundleEntry | null))
  const answers = await Promise.all(
    inside.map((one) => typeof one?.resourceType === 'string' && lookup.wouldBeVisible(one)),
  )
  return !answers.includes(false)
}

function localReferences(
  type: string,
  param: string,
  resource: FhirResource,
  options?: MatchOptions,
): ResourceKey[] {
  return extract(type, param, resource, options).flatMap((value) =>
    value.kind === 'reference' && value.type !== undefined && value.id !== undefined
      ? [{ type: value.type, id: value.id }]
      : [],
  )
}

function securityContext(
  resource: FhirResource,
  options: MatchOptions | undefined,
): ResourceKey | undefined {
  const { securityContext: context } = resource
  const text = (context as { reference?: unknown } | null | undefined)?.reference
  if (typeof text !== 'string') return undefined
  const place = parseReference(text, options?.base)
  return place?.type === undefined || place.id === undefined
    ? undefined
    : { type: place.type, id: place.id }
}

function keyOf({ resourceType, id }: FhirResource): ResourceKey | undefined {
  return id === undefined ? undefined : { type: resourceType, id }
}
