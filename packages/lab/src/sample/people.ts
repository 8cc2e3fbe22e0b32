import type { FhirResource } from '@scopegate/fhir-model'
import type { Random } from './random.ts'
import { IDENTIFIER_TYPE } from './systems.ts'

const GIVEN = {
  female: ['Ana', 'Clara', 'Emma', 'Greta', 'Ines', 'Käthe', 'Mona', 'Olga', 'Renée', 'Zoë'],
  male: ['Ben', 'David', 'Felix', 'Henrik', 'Jan', 'Luís', 'Noah', 'Paul', 'Søren', 'Theo'],
} as const
const FAMILY = ['Alder', 'Birch', 'Cedar', 'Elm', 'Hazel', 'Linden', 'Maple', 'Oak', 'Rowan', 'Yew']
const CITIES = ['Northfield', 'Eastham', 'Southgate', 'Westbrook'] as const

export const ORGANIZATION_ID = 'org-1'
export const LOCATION_ID = 'loc-1'
const SPECIALTIES = ['General medicine', 'Cardiology', 'Psychiatry'] as const
export const PRACTITIONER_IDS = SPECIALTIES.map((_, index) => `pract-${index + 1}`)

/** The hospital: an organization, a location, and its practitioners with their roles. */
export function* hospital(): Generator<FhirResource> {
  yield {
    resourceType: 'Organization',
    id: ORGANIZATION_ID,
    active: true,
    name: 'Sample General Hospital',
  }
  yield {
    resourceType: 'Location',
    id: LOCATION_ID,
    status: 'active',
    name: 'Ward 1',
    managingOrganization: { reference: `Organization/${ORGANIZATION_ID}` },
  }
  for (const [index, specialty] of SPECIALTIES.entries()) {
    const id = PRACTITIONER_IDS[index]!
    yield {
      resourceType: 'Practitioner',
      id,
      active: true,
      identifier: [{ system: 'urn:scopegate:sample:staff', value: `S-${100 + index}` }],
      name: [{ family: `Sample-${specialty.split(' ')[0]}`, given: ['Dr'] }],
    }
    yield {
      resourceType: 'PractitionerRole',
      id: `role-${index + 1}`,
      active: true,
      practitioner: { reference: `Practitioner/${id}` },
      organization: { reference: `Organization/${ORGANIZATION_ID}` },
      specialty: [{ text: specialty }],
    }
  }
}

/** One patient; odd numbers are female. Names repeat when there are many patients. */
export function patient(number: number, random: Random): FhirResource {
  const gender = number % 2 === 1 ? 'female' : 'male'
  const given = GIVEN[gender][Math.floor((number - 1) / 2) % GIVEN[gender].length]!
  const family = FAMILY[(number - 1) % FAMILY.length]!
  const two = (value: number) => String(value).padStart(2, '0')
  return {
    resourceType: 'Patient',
    id: patientId(number),
    identifier: [
      {
        use: 'usual',
        type: { coding: [{ system: IDENTIFIER_TYPE, code: 'MR' }] },
        system: 'urn:scopegate:sample:mrn',
        value: `MRN-${String(number).padStart(6, '0')}`,
      },
    ],
    active: true,
    name: [{ use: 'official', family, given: [given] }],
    telecom: [{ system: 'phone', value: `555-01${two(number % 100)}`, use: 'home' }],
    gender,
    birthDate: `${random.whole(1938, 2004)}-${two(random.whole(1, 12))}-${two(random.whole(1, 28))}`,
    address: [{ city: random.pick(CITIES), country: 'XX' }],
    generalPractitioner: [{ reference: `Practitioner/${PRACTITIONER_IDS[0]}` }],
    managingOrganization: { reference: `Organization/${ORGANIZATION_ID}` },
  }
}

export const patientId = (number: number) => `patient-${number}`
