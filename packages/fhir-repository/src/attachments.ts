import { allowedFor, type FhirResource, parseReference } from '@scopegate/fhir-model'
import type { WriteContext } from './plan-write.ts'
import { visibleFor } from './request.ts'

/** The ids of the Binaries whose URL an attachment of a document, report or medium holds. */
export function attachmentsOf(resource: FhirResource, base: string | undefined): string[] {
  return attachments(resource).flatMap((attachment) => {
    const url = (attachment as { url?: unknown } | undefined | null)?.url
    if (typeof url !== 'string') return []
    const target = parseReference(url, base)
    return target?.type === 'Binary' && target.id !== undefined ? [target.id] : []
  })
}

function attachments(resource: FhirResource): readonly unknown[] {
  switch (resource.resourceType) {
    case 'DocumentReference':
      return listOf(resource.content).map(
        (content) => (content as { attachment?: unknown } | null)?.attachment,
      )
    case 'DiagnosticReport':
      return listOf(resource.presentedForm)
    case 'Media':
      return [resource.content]
    default:
      return []
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

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
