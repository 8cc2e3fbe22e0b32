import {
  ALL,
  allOf,
  anyOf,
  type CompartmentMode,
  type Letter,
  NONE,
  type Predicate,
  patientCompartment,
} from '@scopegate/fhir-model'
import type { AccessPolicy } from './access-policy.ts'
import type { ResolvedContext } from './resolve-context.ts'

/**
 * Visible through others: compartment membership alone says too little (a Provenance lists targets
 * of several patients) or nothing (a Binary has no patient).
 */
const DERIVED: ReadonlyMap<string, Predicate> = new Map<string, Predicate>([
  ['Provenance', { kind: 'visible-via', rule: 'targets', param: 'target' }],
  ['Binary', { kind: 'visible-via', rule: 'attachments' }],
  ['Bundle', { kind: 'visible-via', rule: 'entries' }],
  ['AuditEvent', NONE],
])

/** Which resources of `type` a context reaches under `letter`, before any constraint. */
export function contextPredicate(
  context: ResolvedContext,
  type: string,
  letter: Letter,
  policy: AccessPolicy,
): Predicate {
  if (context.kind === 'system') return ALL
  const writesBody = letter === 'c' || letter === 'u'
  const derived = DERIVED.get(type)
  if (derived !== undefined) {
    // One visible target is enough to see a Provenance, not to write one about somebody else.
    return writesBody && type === 'Provenance' && context.kind === 'launch-patient'
      ? allOf(derived, { kind: 'no-foreign-patient', id: context.patient })
      : derived
  }
  switch (context.kind) {
    case 'any-patient':
      return ALL
    case 'own-patients':
      return inRecordOf(context.patients, type, policy.compartment) ?? shared(type, letter, policy)
    case 'launch-patient': {
      const record = inRecordOf([context.patient], type, policy.compartment)
      if (record === undefined) return shared(type, letter, policy)
      return writesBody
        ? allOf(record, { kind: 'no-foreign-patient', id: context.patient })
        : record
    }
  }
}

/** `undefined` for types that belong to no patient. */
function inRecordOf(
  patients: readonly string[],
  type: string,
  mode: CompartmentMode,
): Predicate | undefined {
  if (type === 'Patient') return { kind: 'id', ids: patients }
  if (patientCompartment(type).length === 0) return undefined
  return anyOf(
    ...patients.map((id): Predicate => ({ kind: 'compartment', compartment: 'Patient', id, mode })),
  )
}

// Shared types are there so that an app can show who treats the patient and where. Nobody's own
// record holds them, so a patient context does not change them.
function shared(type: string, letter: Letter, { sharedTypes }: AccessPolicy): Predicate {
  if (letter !== 'r' && letter !== 's') return NONE
  switch (Object.hasOwn(sharedTypes, type) ? sharedTypes[type] : 'none') {
    case 'all':
      return ALL
    case 'reachable':
      return { kind: 'visible-via', rule: 'referrers' }
    default:
      return NONE
  }
}
