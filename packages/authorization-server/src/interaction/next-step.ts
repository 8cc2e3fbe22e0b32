import type { EncounterSummary, LaunchContext, PatientSummary } from '@scopegate/oauth-model'
import { candidateScopes, withContext } from '../grants/candidate-scopes.ts'
import { parseForeignLaunch } from './foreign-launch.ts'
import { type InteractionState, saveState } from './interaction-state.ts'
import type { SignedIn } from './sign-in.ts'
import { directoryUser, textParam, type Visit } from './visit.ts'

/** What an interaction needs next. */
export type Step =
  | { readonly kind: 'sign-in'; readonly again: boolean }
  | { readonly kind: 'refuse'; readonly error: string; readonly description: string }
  | { readonly kind: 'patient'; readonly signedIn: SignedIn }
  | {
      readonly kind: 'encounter'
      readonly signedIn: SignedIn
      readonly patient: PatientSummary
      readonly canChangePatient: boolean
    }
  | ConsentStep

export interface ConsentStep {
  readonly kind: 'consent'
  readonly signedIn: SignedIn
  readonly context: LaunchContext
  /** `unknown`: the EHR gave one that the directory does not show. */
  readonly patient?: PatientSummary | 'unknown'
  readonly encounter?: EncounterSummary
  readonly canChangePatient: boolean
  readonly candidates: readonly string[]
}

/** What is next, from what is known. May note what it found out by itself, such as a launch. */
export async function nextStep(visit: Visit): Promise<Step> {
  const { signedIn, state, details, deps } = visit
  if (signedIn === undefined || !isFreshEnough(visit, signedIn)) {
    return { kind: 'sign-in', again: signedIn !== undefined }
  }
  const { user } = signedIn
  if (state.userId !== user.id) await startFor(visit, user.id)
  const wrong = wrongUser(visit, user.id)
  if (wrong !== undefined) return wrong

  const launch = await establishLaunch(visit, signedIn)
  if ('kind' in launch) return launch
  const { candidates: all } = candidateScopes({
    requested: textParam(details, 'scope') ?? '',
    client: visit.client,
    user,
    resource: deps.protectedResourceOf(details.params),
  })
  if (all.length === 0) {
    return refusal('invalid_scope', 'none of the scopes can be granted to this client by this user')
  }

  const wantsPatient = all.some((s) => s === 'launch/patient' || s.startsWith('patient/'))
  const given = launch.context.patient
  if (given === undefined && wantsPatient && state.patient === undefined) {
    const own = await ownPatient(visit, signedIn)
    if (own === undefined) return { kind: 'patient', signedIn }
    await note(visit, { patient: own })
  }
  const id = given ?? state.patient
  const person = directoryUser(signedIn)
  const found = id === undefined ? undefined : await deps.directory.findPatient(person, id)
  if (id !== undefined && given === undefined && found === undefined) {
    // It was there when it was chosen; the rights to it may have ended since.
    await note(visit, { patient: undefined, encounter: undefined })
    return { kind: 'patient', signedIn }
  }
  // The EHR vouches for what professionals may open; a patient is nobody else, whoever launches.
  if (given !== undefined && found === undefined && isPatient(signedIn)) {
    return refusal(
      'invalid_request',
      'launch is for a patient whom the user who signed in may not see; start the app from the EHR again, and sign in as its user',
    )
  }
  const canChangePatient = given === undefined && found !== undefined && !isPatient(signedIn)

  const wantsEncounter = all.includes('launch/encounter')
  const visitId = launch.context.encounter ?? state.encounter
  if (wantsEncounter && visitId === undefined && found !== undefined) {
    return { kind: 'encounter', signedIn, patient: found, canChangePatient }
  }
  const encounter =
    visitId === undefined || visitId === 'none' || id === undefined
      ? undefined
      : await deps.directory.findEncounter(person, id, visitId)
  const context: LaunchContext = {
    ...launch.context,
    ...(id === undefined ? {} : { patient: id }),
    // What was chosen here counts only while it is found.
    ...(launch.context.encounter === undefined && encounter !== undefined
      ? { encounter: encounter.id }
      : {}),
  }
  return {
    kind: 'consent',
    signedIn,
    context,
    ...(id === undefined ? {} : { patient: found ?? 'unknown' }),
    ...(encounter === undefined ? {} : { encounter }),
    canChangePatient,
    candidates: withContext(all, context),
  }
}

function refusal(error: string, description: string): Step & { kind: 'refuse' } {
  return { kind: 'refuse', error, description }
}

/** Whether the sign-in is as new as the request wants it. @see OpenID Connect Core §3.1.2.1 */
function isFreshEnough({ state, details, deps }: Visit, { session }: SignedIn): boolean {
  if (session.id === state.staleSessionId) return false
  const maxAge = Number(details.params.max_age)
  if (details.params.max_age === undefined || !Number.isFinite(maxAge)) return true
  // With max_age=0 the session of a new sign-in is right, however long the rest took.
  return maxAge === 0 || Math.floor(deps.nowMs() / 1000) - session.authTime <= maxAge
}

/** Choices belong to a user: another one starts with none. */
async function startFor(visit: Visit, userId: string): Promise<void> {
  const { state } = visit
  delete state.launch
  delete state.patient
  delete state.encounter
  state.userId = userId
  await saveState(visit.details, state)
}

async function note(
  visit: Visit,
  known: { [Key in 'patient' | 'encounter']?: string | undefined } & Pick<
    InteractionState,
    'launch'
  >,
): Promise<void> {
  Object.assign(visit.state, known)
  await saveState(visit.details, visit.state)
}

/** The user whom the app expects, by an ID token or a claim that the engine has verified. */
function wrongUser(visit: Visit, userId: string): Step | undefined {
  const hint = textParam(visit.details, 'id_token_hint')?.split('.')[1]
  const expected = [memberOf(decode(hint), 'sub'), claimedSubject(visit)].find(
    (subject) => subject !== undefined,
  )
  if (expected === undefined || expected === userId) return undefined
  return refusal('login_required', 'another user is signed in than the app expects')
}

function claimedSubject({ details }: Visit): unknown {
  const { claims } = details.params
  const parsed = typeof claims === 'string' ? parse(claims) : claims
  return memberOf(memberOf(memberOf(parsed, 'id_token'), 'sub'), 'value')
}

function decode(part: string | undefined): unknown {
  return part === undefined ? undefined : parse(Buffer.from(part, 'base64url').toString('utf8'))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined
}

/** The context that the EHR gave; empty without a launch. Redeems the handle once, and keeps it. */
async function establishLaunch(
  visit: Visit,
  signedIn: SignedIn,
): Promise<{ readonly context: LaunchContext } | (Step & { kind: 'refuse' })> {
  const { state, details, deps, client } = visit
  if (state.launch !== undefined) return { context: state.launch }
  const handle = textParam(details, 'launch')
  if (handle === undefined) return { context: {} }
  const userId = signedIn.user.id
  const redeemed = await deps.launches.redeem(handle, { clientId: client.id, userId })
  if (redeemed.kind === 'done') {
    await note(visit, { launch: redeemed.context })
    return { context: redeemed.context }
  }
  const foreign = deps.foreignLaunches ? await foreignLaunch(visit, signedIn, handle) : undefined
  if (foreign !== undefined) {
    await note(visit, { launch: foreign })
    return { context: foreign }
  }
  deps.onEvent?.({
    kind: 'launch-refused',
    correlationId: visit.correlationId,
    clientId: client.id,
    userId,
    reason: redeemed.reason,
  })
  return refusal(
    'invalid_request',
    'launch is unknown, expired, used before, or of another app or user; start the app from the EHR again',
  )
}

/** Ids that a launcher wrote, as far as this user may open what they name. */
async function foreignLaunch(
  { deps }: Visit,
  signedIn: SignedIn,
  handle: string,
): Promise<LaunchContext | undefined> {
  const asked = parseForeignLaunch(handle)
  if (asked === undefined) return undefined
  const person = directoryUser(signedIn)
  const { patient, encounter, ...rest } = asked
  if (patient === undefined) return rest
  if ((await deps.directory.findPatient(person, patient)) === undefined) return undefined
  const found =
    encounter === undefined
      ? undefined
      : await deps.directory.findEncounter(person, patient, encounter)
  return { ...rest, patient, ...(found === undefined ? {} : { encounter: found.id }) }
}

const PATIENT = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/
const RELATED = /(?:^|\/)RelatedPerson\/[A-Za-z0-9.-]{1,64}$/

/** Whether the user is a patient, and so the only one whose data may be meant. */
export function isPatient({ user }: SignedIn): boolean {
  return PATIENT.test(user.fhirUser ?? '')
}

/** A patient needs no picker, nor does whoever may act for one patient only. */
async function ownPatient({ deps }: Visit, signedIn: SignedIn): Promise<string | undefined> {
  const person = directoryUser(signedIn)
  const own = PATIENT.exec(person.fhirUser ?? '')?.[1]
  if (own !== undefined) return (await deps.directory.findPatient(person, own))?.id
  if (!RELATED.test(person.fhirUser ?? '')) return undefined
  const { items } = await deps.directory.searchPatients(person, { count: 2 })
  return items.length === 1 ? items[0]?.id : undefined
}
