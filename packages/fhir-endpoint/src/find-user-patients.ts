import type { Access, FhirBackend, Predicate } from '@scopegate/fhir-model'
import type { VerifiedToken } from '@scopegate/oauth-model'

const RELATED_PERSON = /(?:^|\/)RelatedPerson\/([A-Za-z0-9.-]{1,64})$/
const PATIENT = /^Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/\d+)?$/

/**
 * The patients of a user who is a RelatedPerson, read under an Access to that one instance; empty
 * for everybody else. `compileAccess` judges whether the reference is ours at all.
 */
export async function findUserPatients(
  token: VerifiedToken,
  backend: FhirBackend,
  baseUrl: string,
): Promise<readonly string[]> {
  const id = RELATED_PERSON.exec(token.fhirUser ?? '')?.[1]
  if (id === undefined || !token.scope.includes('user/')) return []
  const predicate: Predicate = { kind: 'id', ids: [id] }
  const none = new Map<string, Predicate>()
  const access: Access = {
    fingerprint: `related-person ${id}`,
    allowed: { c: none, r: new Map([['RelatedPerson', predicate]]), u: none, d: none, s: none },
  }
  const answer = await backend.read({ type: 'RelatedPerson', id }, access)
  if (answer.kind !== 'done') return []
  const body = JSON.parse(answer.version.body) as {
    active?: unknown
    patient?: { reference?: unknown }
  }
  if (body.active === false || typeof body.patient?.reference !== 'string') return []
  const { reference } = body.patient
  const local = reference.startsWith(`${baseUrl}/`)
    ? reference.slice(baseUrl.length + 1)
    : reference
  const patient = PATIENT.exec(local)?.[1]
  return patient === undefined ? [] : [patient]
}
