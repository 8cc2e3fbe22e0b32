import { type FhirResource, parseReference } from '@scopegate/fhir-model'

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
