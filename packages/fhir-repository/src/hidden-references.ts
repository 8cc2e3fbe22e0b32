import { allowedFor, extract, type FhirResource } from '@scopegate/fhir-model'
import { attachmentsOf } from './attachments.ts'
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
  { request, newBinaries }: WriteContext,
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
  for (const id of new Set(added)) {
    if (newBinaries?.has(id) === true) continue
    if (!(await lookup.isVisible({ type: 'Binary', id }))) return true
  }
  return false
}

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
  for (const target of targetsOf(resource)) {
    if (before.has(`${target.type}/${target.id}`)) continue
    if (!(await lookup.isVisible(target))) return true
  }
  return false
}
