import assert from 'node:assert/strict'
import { RESOURCE_TYPES } from '@scopegate/fhir-model'
import type { TokenAnswer, TokenBody } from '../support/smart-app.ts'

const ID = /^[A-Za-z0-9\-.]{1,64}$/
const TYPES: ReadonlySet<string> = new Set(RESOURCE_TYPES)

/** `smart_token_response_body_stu2_2`: required members, their types, `Bearer`, `fhirContext`. */
export function assertTokenBody(body: TokenBody): void {
  for (const member of ['access_token', 'token_type', 'expires_in', 'scope'] as const) {
    assert.ok(body[member], `\`${member}\` is there`)
  }
  for (const member of ['access_token', 'token_type', 'scope', 'refresh_token'] as const) {
    if (body[member] !== undefined) assert.equal(typeof body[member], 'string', member)
  }
  assert.equal(typeof body.expires_in, 'number')
  assert.equal(body.token_type?.toLowerCase(), 'bearer')
  assertFhirContext(body.fhirContext)
}

/** `smart_token_response_headers`. */
export function assertTokenHeaders({ headers }: TokenAnswer): void {
  assert.match(headers.get('cache-control') ?? '', /no-store/i)
  assert.match(headers.get('pragma') ?? '', /no-cache/i)
}

/** Objects with a relative `reference`, a `canonical` or an `identifier`; `type` a resource type. */
export function assertFhirContext(fhirContext: unknown): void {
  if (fhirContext === undefined) return
  assert.ok(Array.isArray(fhirContext), '`fhirContext` is an array')
  for (const item of fhirContext) {
    assert.ok(item !== null && typeof item === 'object' && !Array.isArray(item))
    const { reference, canonical, identifier, type } = item as Record<string, unknown>
    assert.ok(reference ?? canonical ?? identifier, 'one of reference, canonical, identifier')
    if (reference !== undefined) {
      assert.equal(typeof reference, 'string')
      const [resourceType = '', id = ''] = String(reference).split('/')
      assert.ok(TYPES.has(resourceType), `\`${resourceType}\` is a resource type`)
      assert.match(id, ID)
    }
    if (canonical !== undefined) assert.match(String(canonical), /^http/)
    if (identifier !== undefined) assert.equal(typeof identifier, 'object')
    if (type !== undefined) assert.ok(TYPES.has(String(type)), `\`${type}\` is a resource type`)
  }
}

/** `g10_smart_scopes`: what was asked for is there, and every type of the scenario is granted. */
export function assertScopesGranted(
  granted: string | undefined,
  level: 'patient' | 'user',
  required: readonly string[],
  types: readonly string[],
): void {
  const scopes = (granted ?? '').split(' ')
  for (const scope of required) assert.ok(scopes.includes(scope), `\`${scope}\` is granted`)
  const granting = new Set<string>()
  for (const scope of scopes) {
    const match = /^(patient|user|system)\/([A-Za-z*]+)\.(\*|read|c?ru?d?s?)$/.exec(
      scope.split('?')[0] ?? '',
    )
    if (match === null) continue
    assert.equal(match[1], level, `\`${scope}\` is a ${level}/ scope`)
    granting.add(match[2]!)
  }
  if (granting.has('*')) return
  assert.deepEqual(
    types.filter((type) => !granting.has(type)),
    [],
    'types that were asked for and not granted',
  )
}

/** The patient compartment types of US Core 7, as the kit lists them. */
export const PATIENT_TYPES = [
  'Patient',
  'AllergyIntolerance',
  'CarePlan',
  'CareTeam',
  'Condition',
  'DiagnosticReport',
  'DocumentReference',
  'Goal',
  'Immunization',
  'MedicationRequest',
  'Observation',
  'Procedure',
  'Provenance',
  'ServiceRequest',
  'Coverage',
  'MedicationDispense',
  'Specimen',
  'Location',
] as const

const ALL_TYPES = [
  'Medication',
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
] as const

const all = (level: string, letters: string) =>
  ALL_TYPES.map((type) => `${level}/${type}.${letters}`).join(' ')

export const STANDALONE_V2 = `launch/patient openid fhirUser offline_access ${all('patient', 'rs')}`
export const STANDALONE_V1 = `launch/patient openid fhirUser offline_access ${all('patient', 'read')}`
export const EHR_V2 = `launch openid fhirUser offline_access ${all('user', 'rs')}`
