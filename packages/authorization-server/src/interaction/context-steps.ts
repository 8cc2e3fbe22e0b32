import { encounterPickerPage } from '../pages/encounter-picker-page.ts'
import { patientPickerPage } from '../pages/patient-picker-page.ts'
import type { Form } from '../pages/read-form.ts'
import { saveState } from './interaction-state.ts'
import type { Step } from './next-step.ts'
import type { SignedIn, Telling } from './sign-in.ts'
import { directoryUser, type Visit } from './visit.ts'

const PAGE_SIZE = 15

type PatientStep = Step & { kind: 'patient' }
type EncounterStep = Step & { kind: 'encounter' }

export interface Search extends Telling {
  readonly text?: string
  readonly cursor?: string
}

export async function showPatients(
  visit: Visit,
  { signedIn }: { readonly signedIn: SignedIn },
  search: Search = {},
): Promise<void> {
  const { deps, frame, csrf, base, client, response } = visit
  const { text = '', cursor = '' } = search
  const page = await deps.directory.searchPatients(directoryUser(signedIn), {
    count: PAGE_SIZE,
    ...(text === '' ? {} : { text }),
    ...(cursor === '' ? {} : { cursor }),
  })
  const view = {
    ...{ csrf, base, text, page },
    appName: client.name,
    userName: signedIn.user.name,
    later: cursor !== '',
    ...(search.problem === undefined ? {} : { problem: search.problem }),
  }
  deps.pages.send(response, patientPickerPage(frame, view), search.status)
}

/** A search, or a choice. @returns whether it was answered; else the next step is to be shown. */
export async function takePatient(
  visit: Visit,
  step: Step,
  action: string,
  form: Form,
): Promise<boolean> {
  if (step.kind !== 'patient') return false
  if (action === 'patients') {
    const text = (form.one('text') ?? '').trim().slice(0, 200)
    await showPatients(visit, step, { text, cursor: form.one('cursor') ?? '' })
    return true
  }
  // Whatever was posted, the directory says whether this user may open it.
  const id = form.one('patient') ?? ''
  const found = await visit.deps.directory.findPatient(directoryUser(step.signedIn), id)
  if (found === undefined) return refusePatient(visit, step)
  visit.state.patient = found.id
  delete visit.state.encounter
  await saveState(visit.details, visit.state)
  return false
}

async function refusePatient(visit: Visit, step: PatientStep): Promise<true> {
  const problem = visit.frame.words('patients.refused')
  await showPatients(visit, step, { problem, status: 403 })
  return true
}

export async function showEncounters(
  visit: Visit,
  step: EncounterStep,
  search: Search = {},
): Promise<void> {
  const { deps, frame, csrf, base, response } = visit
  const { signedIn, patient, canChangePatient } = step
  const { cursor = '' } = search
  const page = await deps.directory.searchEncounters(directoryUser(signedIn), patient.id, {
    count: PAGE_SIZE,
    ...(cursor === '' ? {} : { cursor }),
  })
  const view = {
    ...{ csrf, base, patient, page, canChangePatient },
    userName: signedIn.user.name,
    later: cursor !== '',
    ...(search.problem === undefined ? {} : { problem: search.problem }),
  }
  deps.pages.send(response, encounterPickerPage(frame, view), search.status)
}

/** Another page, a choice, or none. @returns whether it was answered. */
export async function takeEncounter(
  visit: Visit,
  step: Step,
  action: string,
  form: Form,
): Promise<boolean> {
  if (step.kind !== 'encounter') return false
  if (action === 'encounters') {
    await showEncounters(visit, step, { cursor: form.one('cursor') ?? '' })
    return true
  }
  const id = form.one('encounter')
  const { signedIn, patient } = step
  const found =
    id === undefined || id === ''
      ? undefined
      : await visit.deps.directory.findEncounter(directoryUser(signedIn), patient.id, id)
  if (id !== '' && found === undefined) {
    const problem = visit.frame.words('encounters.refused')
    await showEncounters(visit, step, { problem, status: 403 })
    return true
  }
  visit.state.encounter = found?.id ?? 'none'
  await saveState(visit.details, visit.state)
  return false
}
