import {
  type Access,
  allowedFor,
  extract,
  type FhirResource,
  type Predicate,
  type ResourceKey,
  type VisibilityLookup,
} from '@scopegate/fhir-model'
import { attachmentsOf } from './attachments.ts'
import { indexRows } from './index-rows.ts'
import type { WriteContext } from './plan-write.ts'
import { matchOptions, type Request, visibleFor } from './request.ts'

/**
 * Whether a body adds an attachment that names a Binary which its writer cannot see: stored, the
 * attachment would make it visible. A hidden Binary counts as one that is not there. Writers whom
 * no such visibility concerns, such as systems, may name any.
 *
 * Asked before anything is written, so that the body itself makes nothing visible yet.
 */
export async function opensHiddenBinary(
  { request, newInstances }: WriteContext,
  letter: 'c' | 'u',
  resource: FhirResource,
  previous?: FhirResource,
): Promise<boolean> {
  const { access, repository, lookup } = request
  const type = resource.resourceType
  const seeing = visibleFor(access, 'Binary').kind
  const isTrusted = allowedFor(access, letter, type).kind === 'all'
  if (seeing === 'all' || (isTrusted && seeing === 'none')) return false
  const before = new Set(previous === undefined ? [] : attachmentsOf(previous, repository.base))
  const added = attachmentsOf(resource, repository.base).filter((id) => !before.has(id))
  const asked = [...new Set(added)]
    .filter((id) => newInstances?.has(`Binary/${id}`) !== true)
    .map((id) => ({ type: 'Binary', id }))
  return (await firstHidden(lookup, asked)) !== undefined
}

/**
 * The type of a shared resource that a body adds a reference to and its writer cannot see, where
 * visible references are what makes that type visible: stored, the reference would make it so.
 * Asked, like `opensHiddenBinary`, before anything is written.
 */
export async function opensHiddenShared(
  { request, newInstances }: WriteContext,
  resource: FhirResource,
  previous?: FhirResource,
): Promise<string | undefined> {
  const { access, repository, lookup } = request
  const types = reachableTypes(access)
  if (types.size === 0) return undefined
  const targetsOf = (one: FhirResource) =>
    indexRows(one, repository.params, repository.base).refs.map((ref) =>
      ref.slice(ref.indexOf('=') + 1),
    )
  const before = new Set(previous === undefined ? [] : targetsOf(previous))
  const asked = [...new Set(targetsOf(resource))].flatMap((target) => {
    const [type, id] = target.split('/') as [string, string]
    const isNew = !before.has(target) && newInstances?.has(target) !== true
    return isNew && types.has(type) ? [{ type, id }] : []
  })
  return (await firstHidden(lookup, asked))?.type
}

const reachable = new WeakMap<Access, ReadonlySet<string>>()

/** Types of which the Access shows what something visible refers to. */
function reachableTypes(access: Access): ReadonlySet<string> {
  let types = reachable.get(access)
  if (types === undefined) {
    const all = new Set([...access.allowed.r.keys(), ...access.allowed.s.keys()])
    types = new Set([...all].filter((type) => hangsOnReferrers(visibleFor(access, type))))
    reachable.set(access, types)
  }
  return types
}

const hangsOnReferrers = (predicate: Predicate): boolean =>
  predicate.kind === 'and' || predicate.kind === 'or'
    ? predicate.of.some(hangsOnReferrers)
    : predicate.kind === 'visible-via' && predicate.rule === 'referrers'

/**
 * Whether a Provenance adds a target that its writer cannot see: it would stand in the record of
 * somebody else. One visible target is enough to see a Provenance, and not to write it.
 */
export async function isAboutHidden(
  { repository, lookup }: Request,
  resource: FhirResource,
  previous: FhirResource | undefined,
): Promise<boolean> {
  if (resource.resourceType !== 'Provenance') return false
  const targetsOf = (one: FhirResource) =>
    extract('Provenance', 'target', one, matchOptions(repository)).flatMap((value) =>
      value.kind === 'reference' && value.type !== undefined && value.id !== undefined
        ? [{ type: value.type, id: value.id }]
        : [],
    )
  const before = new Set(
    previous === undefined ? [] : targetsOf(previous).map(({ type, id }) => `${type}/${id}`),
  )
  const added = targetsOf(resource).filter(({ type, id }) => !before.has(`${type}/${id}`))
  return (await firstHidden(lookup, added)) !== undefined
}

const AT_ONCE = 250

/** Asked in steps: a body may name very many, and one that is hidden settles it. */
async function firstHidden(
  lookup: VisibilityLookup,
  keys: readonly ResourceKey[],
): Promise<ResourceKey | undefined> {
  for (let i = 0; i < keys.length; i += AT_ONCE) {
    const some = keys.slice(i, i + AT_ONCE)
    const answers = await Promise.all(some.map((key) => lookup.isVisible(key)))
    const at = answers.indexOf(false)
    if (at >= 0) return some[at]
  }
  return undefined
}
