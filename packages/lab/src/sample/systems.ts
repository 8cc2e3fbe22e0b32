/** The code systems the sample uses. */
export const LOINC = 'http://loinc.org'
export const SNOMED = 'http://snomed.info/sct'
export const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm'
export const CVX = 'http://hl7.org/fhir/sid/cvx'
export const UCUM = 'http://unitsofmeasure.org'
export const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
export const CONDITION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/condition-category'
export const CONDITION_CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical'
export const CONDITION_VERIFICATION = 'http://terminology.hl7.org/CodeSystem/condition-ver-status'
export const ALLERGY_CLINICAL = 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical'
export const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
export const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
export const IDENTIFIER_TYPE = 'http://terminology.hl7.org/CodeSystem/v2-0203'

export interface Coding {
  readonly system: string
  readonly code: string
  readonly display: string
}

export const concept = (coding: Coding) => ({ coding: [coding], text: coding.display })

export const loinc = (code: string, display: string): Coding => ({ system: LOINC, code, display })
export const snomed = (code: string, display: string): Coding => ({ system: SNOMED, code, display })

/** Labels a resource as restricted, with the reason (HIV, substance use, …) where there is one. */
export function restricted(sensitivity?: { code: string; display: string }) {
  return {
    security: [
      { system: CONFIDENTIALITY, code: 'R', display: 'restricted' },
      ...(sensitivity ? [{ system: ACT_CODE, ...sensitivity }] : []),
    ],
  }
}
