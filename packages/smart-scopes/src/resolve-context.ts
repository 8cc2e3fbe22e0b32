import { type CheckDetail, failed, type ReasonCode } from '@scopegate/checks'
import type { AccessPolicy } from './access-policy.ts'
import type { Context } from './scope.ts'

/** What a token says of its caller. A `VerifiedToken` is one. */
export interface Caller {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  readonly patient?: string
  /** `Practitioner/1`, relative or absolute. */
  readonly fhirUser?: string
  /** Whether the token belongs to a user although it has no `fhirUser`; the issuer's preset knows. */
  readonly hasUser?: boolean
  /** Ids of the patients of a RelatedPerson user, looked up by the endpoint. */
  readonly userPatients?: readonly string[]
}

/** Whose data a context means. */
export type ResolvedContext =
  /** The patient of the launch. */
  | { readonly kind: 'launch-patient'; readonly patient: string }
  /** The user is a patient, or the relative of some. INVARIANT: not empty. */
  | { readonly kind: 'own-patients'; readonly patients: readonly string[] }
  | { readonly kind: 'any-patient' }
  | { readonly kind: 'system' }

export type ContextAnswer =
  | { readonly ok: true; readonly context: ResolvedContext }
  | { readonly ok: false; readonly code: ReasonCode; readonly detail: CheckDetail }

const ID = /^[A-Za-z0-9.-]{1,64}$/
const USER = /^(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)\/([A-Za-z0-9.-]{1,64})$/

/**
 * Whose data the scopes of a context reach for this caller. Absence never widens: without the claim
 * that a context needs, it reaches nothing.
 */
export function resolveContext(
  context: Context,
  caller: Caller,
  policy: AccessPolicy,
): ContextAnswer {
  switch (context) {
    case 'patient':
      return resolvePatient(caller)
    case 'user':
      return resolveUser(caller, policy)
    case 'system':
      return isOfUser(caller) && policy.systemOnUserToken === 'void'
        ? refuse('system_scope_with_user', { expected: 'a token without a user' })
        : { ok: true, context: { kind: 'system' } }
  }
}

/** Whether the token belongs to a user. A `patient` claim alone does not say so. */
function isOfUser({ hasUser, fhirUser }: Caller): boolean {
  return hasUser === true || fhirUser !== undefined
}

function resolvePatient({ patient }: Caller): ContextAnswer {
  if (patient === undefined || patient === '')
    return refuse('patient_context_missing', { expected: 'a `patient` claim' })
  if (!ID.test(patient)) return refuse('patient_context_invalid', { expected: 'a resource id' })
  return { ok: true, context: { kind: 'launch-patient', patient } }
}

function resolveUser(
  { fhirUser, userPatients = [] }: Caller,
  { baseUrls, userPolicy }: AccessPolicy,
): ContextAnswer {
  if (fhirUser === undefined || fhirUser === '')
    return refuse('user_context_missing', { expected: 'a `fhirUser` claim' })
  const base = baseUrls.find((url) => fhirUser.startsWith(`${url}/`))
  const [, type, id] =
    USER.exec(base === undefined ? fhirUser : fhirUser.slice(base.length + 1)) ?? []
  switch (type) {
    case 'Patient':
      return { ok: true, context: { kind: 'own-patients', patients: [id!] } }
    case 'RelatedPerson': {
      const patients = [...new Set(userPatients)].filter((each) => ID.test(each)).sort()
      return patients.length === 0
        ? refuse('user_patients_unknown', { got: 'RelatedPerson' })
        : { ok: true, context: { kind: 'own-patients', patients } }
    }
    case 'Practitioner':
    case 'PractitionerRole':
      return userPolicy === 'all'
        ? { ok: true, context: { kind: 'any-patient' } }
        : refuse('user_policy_none', { got: type })
    case 'Person':
      // A Person may be anybody, a patient too: no policy here speaks of it.
      return refuse('user_policy_none', {
        got: type,
        fix: 'let `fhirUser` name the Practitioner, Patient or RelatedPerson that the person is',
      })
    default:
      return refuse('user_context_invalid', {
        expected: 'Practitioner/<id>, PractitionerRole/<id>, Patient/<id> or RelatedPerson/<id>',
      })
  }
}

function refuse(code: ReasonCode, detail: CheckDetail): ContextAnswer {
  // The text of the catalogue is made here once, so that what is traced and what is answered agree.
  return { ok: false, code, detail: { ...detail, fix: detail.fix ?? failed(code, detail).fix! } }
}
