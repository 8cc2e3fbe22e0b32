/** Somebody who can sign in at a lab provider, by choosing the name: there are no passwords. */
export interface LabUser {
  /** Short, for the page and for tests: `nora`. */
  readonly id: string
  readonly name: string
  readonly email: string
  readonly emailVerified: boolean
  /** The organisation: Entra's directory id (`tid`), Google's Workspace domain (`hd`). */
  readonly organisation?: string
  readonly employeeId?: string
  readonly fhirUser?: string
  readonly roles?: readonly string[]
  /** Entra leaves groups out when there are more than 200, and says so. */
  readonly groups?: readonly string[]
  /** Set over what the flavour makes of the above; for odd tokens. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export const LAB_TENANT = '11111111-2222-4333-8444-555555555555'

/** A nurse, a physician, and a person whose address nobody verified. */
export const LAB_USERS: readonly LabUser[] = [
  {
    id: 'nora',
    name: 'Nora Nurse',
    email: 'nora@clinic.example',
    emailVerified: true,
    employeeId: 'pract-2',
    fhirUser: 'Practitioner/pract-2',
    roles: ['nurse'],
    groups: ['9b2c0f4e-0000-4000-8000-000000000001'],
  },
  {
    id: 'paul',
    name: 'Paul Physician',
    email: 'paul@clinic.example',
    emailVerified: true,
    employeeId: 'pract-1',
    fhirUser: 'Practitioner/pract-1',
    roles: ['physician', 'prescriber'],
  },
  { id: 'umut', name: 'Umut Unverified', email: 'umut@elsewhere.example', emailVerified: false },
]
