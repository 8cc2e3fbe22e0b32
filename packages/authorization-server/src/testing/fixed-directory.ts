import type {
  DirectoryUser,
  EncounterSummary,
  PatientDirectory,
  PatientSummary,
} from '@scopegate/oauth-model'

export const ANA: PatientSummary = {
  id: 'p-ana',
  name: 'Ana María Example',
  birthDate: '1987-02-20',
  gender: 'female',
  identifier: 'MRN-1001',
}
export const BEN: PatientSummary = { id: 'p-ben', name: 'Ben Example', birthDate: '1954-11' }
/** Nobody here may open this one. */
export const HIDDEN: PatientSummary = { id: 'p-hidden', name: 'Hidden Example' }
export const ANAS_VISIT: EncounterSummary = {
  id: 'e-ana',
  title: 'Outpatient visit',
  status: 'finished',
  start: '2026-11-02T09:30:00+01:00',
  end: '2026-11-02T10:10:00+01:00',
}
const MANY = Array.from({ length: 40 }, (_, index) => ({
  id: `p-${index}`,
  name: `Zoe Example ${String(index).padStart(2, '0')}`,
}))

/** A directory of a few: practitioners find all but one, patients themselves, relatives one. */
export function createFixedDirectory(): PatientDirectory {
  const all: readonly PatientSummary[] = [ANA, BEN, ...MANY]
  const seenBy = ({ fhirUser = '' }: DirectoryUser) => {
    if (/Practitioner\//.test(fhirUser)) return all
    if (fhirUser.endsWith('RelatedPerson/mother')) return [BEN]
    return all.filter(({ id }) => fhirUser.endsWith(`Patient/${id}`))
  }
  const findPatient = async (user: DirectoryUser, id: string) =>
    seenBy(user).find((patient) => patient.id === id)
  return {
    findPatient,
    async searchPatients(user, { text = '', cursor = '0', count = 20 }) {
      const found = seenBy(user).filter(({ name }) =>
        name.toLowerCase().includes(text.toLowerCase()),
      )
      const from = Number(cursor)
      const items = found.slice(from, from + count)
      const next = from + count < found.length ? { next: String(from + count) } : {}
      return { items, ...next }
    },
    searchEncounters: async (_user, patientId) => ({
      items: patientId === ANA.id ? [ANAS_VISIT] : [],
    }),
    findEncounter: async (user, patientId, id) =>
      (await findPatient(user, patientId)) && patientId === ANA.id && id === ANAS_VISIT.id
        ? ANAS_VISIT
        : undefined,
  }
}
