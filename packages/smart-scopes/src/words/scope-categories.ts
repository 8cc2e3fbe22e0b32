/** A category that a consent page may offer instead of the whole type, and that has a name. */
export interface ScopeCategory {
  readonly type: string
  readonly system: string
  readonly code: string
  /** What it holds is often held to be more private than the rest of its type. */
  readonly sensitive: boolean
}

const HL7 = 'http://terminology.hl7.org/CodeSystem'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem'

function category(type: string, system: string, code: string, sensitive = false): ScopeCategory {
  return { type, system, code, sensitive }
}

/**
 * By key, in the order in which they are offered.
 * @see https://hl7.org/fhir/us/core/scopes.html US Core, granular scopes
 */
export const SCOPE_CATEGORIES: Readonly<Record<string, ScopeCategory>> = {
  laboratory: category('Observation', `${HL7}/observation-category`, 'laboratory'),
  vitalSigns: category('Observation', `${HL7}/observation-category`, 'vital-signs'),
  socialHistory: category('Observation', `${HL7}/observation-category`, 'social-history', true),
  survey: category('Observation', `${HL7}/observation-category`, 'survey', true),
  sdoh: category('Observation', `${US_CORE}/us-core-category`, 'sdoh', true),
  exam: category('Observation', `${HL7}/observation-category`, 'exam'),
  imaging: category('Observation', `${HL7}/observation-category`, 'imaging'),
  procedure: category('Observation', `${HL7}/observation-category`, 'procedure'),
  therapy: category('Observation', `${HL7}/observation-category`, 'therapy'),
  activity: category('Observation', `${HL7}/observation-category`, 'activity'),
  problemListItem: category('Condition', `${HL7}/condition-category`, 'problem-list-item', true),
  encounterDiagnosis: category(
    'Condition',
    `${HL7}/condition-category`,
    'encounter-diagnosis',
    true,
  ),
  healthConcern: category('Condition', `${US_CORE}/condition-category`, 'health-concern', true),
  clinicalNote: category(
    'DocumentReference',
    `${US_CORE}/us-core-documentreference-category`,
    'clinical-note',
    true,
  ),
}

/** The key of the category that a value of a `category` parameter names on `type`, if it has one. */
export function categoryKey(type: string, system: string | undefined, code: string) {
  return Object.entries(SCOPE_CATEGORIES).find(
    ([, each]) =>
      each.type === type &&
      each.code === code &&
      // Without a system every system is meant, and the name says no less than that.
      (system === undefined || system === each.system),
  )?.[0]
}
