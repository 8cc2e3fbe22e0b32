import { COMPARTMENTS, MENTION_FINDERS, PATIENT_MENTIONS } from '../generated/compartments.ts'
import type { MentionFinder } from './mention.ts'

/** One parameter that may name a patient. */
export interface PatientParameter {
  readonly code: string
  readonly find: MentionFinder
  /** It makes the resource a member of the patient compartment. */
  readonly confers: boolean
  /** It says whom the resource is about. */
  readonly primary: boolean
  /** Its expression keeps Patients only, so that what it finds is one. */
  readonly narrowed: boolean
}

const MENTIONS: ReadonlyMap<string, readonly PatientParameter[]> = new Map(
  PATIENT_MENTIONS.map((line) => {
    const colon = line.indexOf(':')
    return [
      line.slice(0, colon),
      line
        .slice(colon + 1)
        .split(',')
        .map(readParameter),
    ] as const
  }),
)
const NONE: readonly never[] = Object.freeze([])

function readParameter(cell: string): PatientParameter {
  const [code, finder, flags] = cell.split(' ') as [string, string, string]
  return {
    code,
    find: MENTION_FINDERS[Number(finder)]!,
    confers: flags.includes('c'),
    primary: flags.includes('p'),
    narrowed: flags.includes('n'),
  }
}

/** The parameters of a type that may name a patient; empty outside the patient compartment. */
export function patientParameters(type: string): readonly PatientParameter[] {
  return MENTIONS.get(type) ?? NONE
}

const TABLES: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> = new Map(
  Object.entries(COMPARTMENTS).map(([compartment, text]) => [
    compartment,
    new Map(
      text.split(' ').map((row) => {
        const [type, codes] = row.split(':') as [string, string]
        return [type, codes.split(',')] as const
      }),
    ),
  ]),
)

/**
 * The search parameters that put a resource of `type` into a compartment (`Patient`, `Encounter`,
 * `Practitioner`, `RelatedPerson`, `Device`); empty when the type is not in it.
 *
 * @see https://hl7.org/fhir/R4/compartmentdefinition.html
 */
export function compartmentParameters(compartment: string, type: string): readonly string[] {
  return TABLES.get(compartment)?.get(type) ?? NONE
}

/** The parameters of the patient compartment for a type; empty when the type is not in it. */
export function patientCompartment(type: string): readonly string[] {
  return compartmentParameters('Patient', type)
}

/** The parameters that say which patient a resource of `type` is about; empty when there are none. */
export function primarySubject(type: string): readonly string[] {
  return patientParameters(type)
    .filter(({ primary }) => primary)
    .map(({ code }) => code)
}
