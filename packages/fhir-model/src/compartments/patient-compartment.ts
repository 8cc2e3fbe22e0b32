import type { CompartmentMode } from '../predicate.ts'
import type { FhirResource } from '../resource.ts'
import { type PatientParameter, patientParameters } from './compartment-tables.ts'
import { readMention } from './mention.ts'

export interface CompartmentOptions {
  /** Our own base URL, without a final slash: absolute references below it count as relative. */
  readonly base?: string
}

/** A reference to a patient in a compartment parameter or primary subject. */
export interface PatientReference {
  readonly param: string
  /** Missing when it is not (surely) a patient of this server. */
  readonly patientId?: string
  /** The same for the same reference, to compare two versions of a resource. */
  readonly key: string
}

/** Whom the primary subjects of a resource name. */
interface Primary {
  readonly patients: ReadonlySet<string>
  /** Some primary subject is, or may be, a patient that this server does not know. */
  readonly stranger: boolean
}

/**
 * The patients in whose compartment a resource is, by definition (R4 CompartmentDefinition). A
 * Patient is in its own only: `Patient.link` is not followed.
 */
export function compartmentsOf(
  resource: FhirResource,
  options?: CompartmentOptions,
): readonly string[] {
  if (resource.resourceType === 'Patient') return resource.id === undefined ? [] : [resource.id]
  const found = new Set<string>()
  for (const parameter of patientParameters(resource.resourceType)) {
    if (!parameter.confers) continue
    for (const element of elementsOf(parameter, resource)) {
      const mention = readMention(element, options?.base)
      if (mention.kind === 'patient') found.add(mention.id)
    }
  }
  return [...found]
}

/**
 * The patients for whom `isInPatientCompartment(…, 'guarded')` holds: those of the definition, less
 * everyone when a primary subject is a different patient.
 */
export function guardedPatients(
  resource: FhirResource,
  options?: CompartmentOptions,
): readonly string[] {
  const members = compartmentsOf(resource, options)
  if (resource.resourceType === 'Patient' || members.length === 0) return members
  const { patients, stranger } = primaryOf(resource, options?.base)
  if (stranger || patients.size > 1) return []
  return patients.size === 0 ? members : members.filter((id) => patients.has(id))
}

/** The patients for whom `isInPatientCompartment(…, 'primary')` holds; one at most. */
export function primaryPatients(
  resource: FhirResource,
  options?: CompartmentOptions,
): readonly string[] {
  const members = compartmentsOf(resource, options)
  if (resource.resourceType === 'Patient' || members.length === 0) return members
  const { patients, stranger } = primaryOf(resource, options?.base)
  if (stranger || patients.size !== 1) return []
  return members.filter((id) => patients.has(id))
}

/**
 * Whether a resource is in the compartment of a patient of this server.
 *
 * - `definition`: some compartment parameter refers to the patient.
 * - `guarded`: and no primary subject is a different patient. A subject that this server cannot tell
 *   (foreign URL, identifier only, contained, `urn:`) counts as a different one.
 * - `primary`: and a primary subject refers to the patient.
 *
 * @see docs/reference/compartments.md for the parameters and primary subjects by type
 */
export function isInPatientCompartment(
  resource: FhirResource,
  patientId: string,
  mode: CompartmentMode,
  options?: CompartmentOptions,
): boolean {
  if (mode === 'definition') return compartmentsOf(resource, options).includes(patientId)
  const members =
    mode === 'guarded' ? guardedPatients(resource, options) : primaryPatients(resource, options)
  return members.includes(patientId)
}

/**
 * Every reference to a patient in a compartment parameter or primary subject. Under a patient
 * context a submitted body may hold only references to that patient (or those that stood before).
 */
export function patientReferences(
  resource: FhirResource,
  options?: CompartmentOptions,
): readonly PatientReference[] {
  const found: PatientReference[] = []
  for (const parameter of patientParameters(resource.resourceType)) {
    for (const element of elementsOf(parameter, resource)) {
      const mention = readMention(element, options?.base)
      const param = parameter.code
      if (mention.kind === 'patient')
        found.push({ param, patientId: mention.id, key: `Patient/${mention.id}` })
      else if (mention.kind === 'foreign-patient') found.push({ param, key: mention.key })
      else if (mention.kind === 'unclear' && isStrict(parameter))
        found.push({ param, key: mention.key })
    }
  }
  return found
}

function primaryOf(resource: FhirResource, base: string | undefined): Primary {
  const patients = new Set<string>()
  let stranger = false
  for (const parameter of patientParameters(resource.resourceType)) {
    if (!parameter.primary) continue
    for (const element of elementsOf(parameter, resource)) {
      const mention = readMention(element, base)
      if (mention.kind === 'patient') patients.add(mention.id)
      else if (mention.kind === 'foreign-patient' || mention.kind === 'unclear') stranger = true
    }
  }
  return { patients, stranger }
}

/** A primary subject may be a patient whatever it looks like; a performer need not be one. */
function isStrict(parameter: PatientParameter): boolean {
  return parameter.primary || parameter.narrowed
}

function elementsOf(parameter: PatientParameter, resource: FhirResource): readonly unknown[] {
  const found: unknown[] = []
  parameter.find(resource, found)
  return found
}
