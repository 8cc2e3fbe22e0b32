/**
 * How the pages of a launch find patients and encounters: the FHIR endpoint gives it, the
 * authorization server asks it. It answers under the rights of the signed-in user, so a patient
 * that the user may not see is not found, whatever a form posts.
 */
export interface PatientDirectory {
  /** Patients this user may choose, ordered by name. */
  searchPatients(user: DirectoryUser, query: DirectoryQuery): Promise<DirectoryPage<PatientSummary>>
  findPatient(user: DirectoryUser, id: string): Promise<PatientSummary | undefined>
  /** Newest first. */
  searchEncounters(
    user: DirectoryUser,
    patientId: string,
    query: DirectoryQuery,
  ): Promise<DirectoryPage<EncounterSummary>>
  /** The encounter, if it is one of this patient. */
  findEncounter(
    user: DirectoryUser,
    patientId: string,
    id: string,
  ): Promise<EncounterSummary | undefined>
}

export interface DirectoryUser {
  readonly subject: string
  /** `Practitioner/1`, relative or absolute; without one nothing is found. */
  readonly fhirUser?: string
}

export interface DirectoryQuery {
  /** Words of a name, a birth date as `YYYY-MM-DD`, an identifier. */
  readonly text?: string
  /** `next` of the page before. */
  readonly cursor?: string
  /** Default 20. */
  readonly count?: number
}

export interface DirectoryPage<T> {
  readonly items: readonly T[]
  /** Opaque; missing on the last page. */
  readonly next?: string
}

export interface PatientSummary {
  readonly id: string
  /** As it is written for people: `Ana María Example`. */
  readonly name: string
  /** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
  readonly birthDate?: string
  readonly gender?: string
  /** A medical record number, to tell namesakes apart. */
  readonly identifier?: string
}

export interface EncounterSummary {
  readonly id: string
  /** Its type or class in words. */
  readonly title: string
  readonly status: string
  /** FHIR dateTimes. */
  readonly start?: string
  readonly end?: string
}
