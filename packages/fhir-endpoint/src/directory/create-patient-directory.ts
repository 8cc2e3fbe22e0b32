import type { AccessAudit } from '@scopegate/audit'
import {
  type Access,
  allowedFor,
  type FhirBackend,
  parseSearch,
  type SearchPosition,
  SearchRefused,
  type StoredVersion,
} from '@scopegate/fhir-model'
import type {
  DirectoryPage,
  DirectoryQuery,
  DirectoryUser,
  PatientDirectory,
} from '@scopegate/oauth-model'
import type { AccessPolicy } from '@scopegate/smart-scopes'
import { createCursorSeal } from '../cursor.ts'
import { DEFAULT_SETTINGS } from '../settings.ts'
import { summarizeEncounter } from './encounter-summary.ts'
import { lookupEvent } from './lookup-event.ts'
import { summarizePatient } from './patient-summary.ts'
import { encounterReadings, patientReadings, type Reading } from './readings.ts'
import { compileUserAccess } from './user-access.ts'

export interface PatientDirectoryDeps {
  /** Address of the FHIR endpoint whose patients these are. */
  readonly baseUrl: string
  readonly backend: FhirBackend
  /** The endpoint's, so that nobody finds here what a token would not show. */
  readonly policy: AccessPolicy
  /** The issuer whose pages ask. */
  readonly issuer: string
  /** The endpoint's: 32 random bytes, the same in all processes. */
  readonly cursorKey: Uint8Array
  /** Names are read here: every call leaves a row. A required audit that fails fails the call. */
  readonly audit: Pick<AccessAudit, 'record'>
  /** Epoch milliseconds. */
  readonly now?: () => number
}

const DEFAULT_COUNT = 20
const MAX_COUNT = 100
const ID = /^[A-Za-z0-9\-.]{1,64}$/
const NOT_IN_ERROR = ['status:not', 'entered-in-error'] as const

/**
 * The directory of the FHIR endpoint's own data, under the rights that a token of the user would
 * have: without a policy for practitioners they find nobody, a patient finds the own record, a
 * related person the patient it is stored with. A cursor that is not this user's, of another
 * patient, or older than an hour starts at the first page again. Encounters entered in error are
 * not offered.
 * @throws {SearchRefused} when the backend will not run the search at all
 */
export function createPatientDirectory(deps: PatientDirectoryDeps): PatientDirectory {
  const { backend, audit } = deps
  const baseUrl = deps.baseUrl.replace(/\/+$/, '')
  const now = deps.now ?? Date.now
  const cursors = createCursorSeal(deps.cursorKey)

  /** One page of the first reading that finds anything, or the page that the cursor leads to. */
  async function findPage<T>(
    user: DirectoryUser,
    query: DirectoryQuery,
    { type, fixed, readings, order, id, summarize }: Search<T>,
  ): Promise<DirectoryPage<T>> {
    const nowMs = now()
    const compiled = await compileUserAccess(user, { ...deps, baseUrl })
    const { access } = compiled
    const record = (count: number) =>
      audit.record(
        lookupEvent({
          atMs: nowMs,
          baseUrl,
          issuer: deps.issuer,
          user,
          type,
          ...(id === undefined ? {} : { id }),
          compiled,
          count,
        }),
      )
    if (allowedFor(access, 's', type).kind === 'none') {
      await record(0)
      return { items: [] }
    }

    const page: FindPage = async (used, after) => {
      const parsed = parseSearch(type, used, {
        strict: true,
        defaultCount: Math.min(Math.max(1, Math.trunc(query.count ?? DEFAULT_COUNT)), MAX_COUNT),
        maxCount: MAX_COUNT,
        defaultTotal: 'none',
        baseUrl,
        nowMs,
      })
      // A parameter without effect would find more than was asked for.
      if (!parsed.ok || parsed.ignored.length > 0) return { used, matches: [] }
      const asked = after === undefined ? parsed.query : { ...parsed.query, after }
      return { used, ...(await backend.search(asked, access)) }
    }
    const answer =
      (await resume(query.cursor, { type, fixed, access, nowMs, page })) ??
      (await firstThatFinds(
        readings.map((reading) => [...fixed, ...reading, ...order]),
        page,
      ))
    await record(answer.matches.length)
    return {
      items: answer.matches.map((version) => summarize(version, nowMs)),
      ...(answer.next === undefined
        ? {}
        : {
            next: cursors.seal({
              kind: 'search',
              type,
              used: answer.used,
              after: answer.next,
              accessFingerprint: access.fingerprint,
              expiresAt: Math.floor(nowMs / 1000) + DEFAULT_SETTINGS.cursorSeconds,
            }),
          }),
    }
  }

  async function resume(
    text: string | undefined,
    { type, fixed, access, nowMs, page }: Resumed,
  ): Promise<Page | undefined> {
    const cursor = text === undefined ? undefined : cursors.open(text)
    const isGood =
      cursor?.kind === 'search' &&
      cursor.type === type &&
      cursor.accessFingerprint === access.fingerprint &&
      cursor.expiresAt * 1000 >= nowMs &&
      // Another patient's encounters are another list.
      fixed.every(([name, value], i) => cursor.used[i]?.[0] === name && cursor.used[i][1] === value)
    return isGood ? page(cursor.used, cursor.after) : undefined
  }

  const patients = { type: 'Patient', fixed: [], summarize: summarizePatient } as const
  const encountersOf = (patientId: string) =>
    ({
      type: 'Encounter',
      fixed: [['subject', `Patient/${patientId}`], NOT_IN_ERROR],
      summarize: summarizeEncounter,
    }) as const
  const one = (id: string) => ({ id, readings: [[['_id', id]]], order: [] }) as const

  return {
    searchPatients: (user, query) =>
      findPage(user, query, {
        ...patients,
        readings: patientReadings(query.text ?? ''),
        order: [['_sort', 'family,given']],
      }),
    async findPatient(user, id) {
      if (!ID.test(id)) return undefined
      return (await findPage(user, { count: 1 }, { ...patients, ...one(id) })).items[0]
    },
    async searchEncounters(user, patientId, query) {
      if (!ID.test(patientId)) return { items: [] }
      return findPage(user, query, {
        ...encountersOf(patientId),
        readings: encounterReadings(query.text ?? ''),
        order: [['_sort', '-date']],
      })
    },
    async findEncounter(user, patientId, id) {
      if (!ID.test(patientId) || !ID.test(id)) return undefined
      return (await findPage(user, { count: 1 }, { ...encountersOf(patientId), ...one(id) }))
        .items[0]
    },
  }
}

interface Search<T> {
  readonly type: string
  /** Parameters that every reading has in front. */
  readonly fixed: Reading
  readonly readings: readonly Reading[]
  readonly order: Reading
  /** Of a call for one instance; for the audit. */
  readonly id?: string
  readonly summarize: (version: StoredVersion, nowMs: number) => T
}

interface Page {
  readonly used: Reading
  readonly matches: readonly StoredVersion[]
  readonly next?: SearchPosition
}

type FindPage = (used: Reading, after?: SearchPosition) => Promise<Page>

interface Resumed {
  readonly type: string
  readonly fixed: Reading
  readonly access: Access
  readonly nowMs: number
  readonly page: FindPage
}

/**
 * A reading that is too costly counts as one that finds nobody, so that a long way round (part of a
 * name, in a large store) does not turn "nobody" into a failure; when all are, that is told.
 */
async function firstThatFinds(readings: readonly Reading[], page: FindPage): Promise<Page> {
  let last: Page | undefined
  let refused: SearchRefused | undefined
  for (const reading of readings) {
    try {
      last = await page(reading)
      if (last.matches.length > 0) return last
    } catch (error) {
      if (!(error instanceof SearchRefused)) throw error
      refused = error
    }
  }
  if (last === undefined) throw refused ?? new TypeError('there is no reading')
  return last
}
