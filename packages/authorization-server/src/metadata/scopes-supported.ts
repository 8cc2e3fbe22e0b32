import { INTROSPECT_SCOPE } from '@scopegate/oauth-model'
import { USER_SCOPES } from '../clients/registrable-scope.ts'

/** The resource types of US Core. @see https://hl7.org/fhir/us/core/scopes.html */
const US_CORE_TYPES = [
  'AllergyIntolerance',
  'CarePlan',
  'CareTeam',
  'Condition',
  'Coverage',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Goal',
  'Immunization',
  'Location',
  'Medication',
  'MedicationDispense',
  'MedicationRequest',
  'Observation',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'Provenance',
  'QuestionnaireResponse',
  'RelatedPerson',
  'ServiceRequest',
  'Specimen',
]

const CONDITION = 'http://terminology.hl7.org/CodeSystem/condition-category'
const OBSERVATION = 'http://terminology.hl7.org/CodeSystem/observation-category'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem'

/** The categories that servers of US Core shall support as scopes of their own. */
const US_CORE_CATEGORIES = [
  `Condition.rs?category=${US_CORE}/condition-category|health-concern`,
  `Condition.rs?category=${CONDITION}|encounter-diagnosis`,
  `Condition.rs?category=${CONDITION}|problem-list-item`,
  `DocumentReference.rs?category=${US_CORE}/us-core-documentreference-category|clinical-note`,
  `Observation.rs?category=${US_CORE}/us-core-category|sdoh`,
  `Observation.rs?category=${OBSERVATION}|laboratory`,
  `Observation.rs?category=${OBSERVATION}|social-history`,
  `Observation.rs?category=${OBSERVATION}|survey`,
  `Observation.rs?category=${OBSERVATION}|vital-signs`,
]

const ANY_TYPE = ['*.cruds', '*.rs', '*.read', '*.write', '*.*']

/**
 * Scopes that work, for all to see; every R4 type, permission and constraint that can be evaluated
 * does, so that no list is complete.
 *
 * @see SMART 2.2, conformance: everything listed SHALL work; US Core: all that it asks for
 */
export function scopesSupported(hasUsers: boolean): readonly string[] {
  const contexts = hasUsers ? ['patient', 'user', 'system'] : ['system']
  const kinds = [...ANY_TYPE, ...US_CORE_TYPES.map((type) => `${type}.rs`), ...US_CORE_CATEGORIES]
  return [
    ...(hasUsers ? USER_SCOPES : []),
    ...contexts.flatMap((context) => kinds.map((kind) => `${context}/${kind}`)),
    INTROSPECT_SCOPE,
  ]
}
