import type { Access, FhirResource, ResourceKey, VisibilityLookup } from '@scopegate/fhir-model'
import { compilePredicate } from '@scopegate/fhir-model'
import { attachmentsOf } from './attachments.ts'
import { refersToKey } from './keys.ts'
import { type FoundRow, SMALL_BODY, wholeRows } from './large-bodies.ts'
import { type Referrer, readReferrers } from './read-referrers.ts'
import { matchOptions, type Repository, visibleFor } from './request.ts'
import { visibleCondition } from './sql/predicate.ts'
import { type Queryable, run } from './statement.ts'
import { contentOf, type StoredRow, VERSION_COLUMNS } from './stored-row.ts'

/** A Provenance of a Provenance of a Provenance: beyond this depth nothing is visible. */
const DEEPEST = 3
const REFERRERS_AT_ONCE = 20
const KEYS_AT_ONCE = 500

interface Waiting {
  readonly key: ResourceKey
  resolve(row: StoredRow | undefined): void
  reject(error: unknown): void
}

/**
 * Answers, under one Access, what predicates ask about other resources. Questions of one turn of
 * the event loop become one query; answers are kept as long as the lookup is, that is one request.
 * Each depth keeps its own, since what is visible from above may be too deep from below: a resource
 * is judged once for each depth, however many resources lead to it.
 */
export function createLookup(
  repository: Repository,
  on: Queryable,
  access: Access,
  depth: number,
): VisibilityLookup {
  const answers = new Map<string, Promise<boolean>>()
  const queue: Waiting[] = []
  let below: VisibilityLookup | undefined
  const deeper = () => {
    below ??= createLookup(repository, on, access, depth + 1)
    return below
  }

  const remember = (question: string, answer: () => Promise<boolean>): Promise<boolean> => {
    let known = answers.get(question)
    if (known === undefined) {
      known = answer()
      answers.set(question, known)
    }
    return known
  }

  const permitted = async (resource: FhirResource): Promise<boolean> => {
    const type = resource.resourceType
    const matcher = compilePredicate(type, visibleFor(access, type), matchOptions(repository))
    if (matcher.sync) return matcher.test(resource)
    return depth < DEEPEST && matcher.permits(resource, deeper())
  }

  const load = (key: ResourceKey): Promise<StoredRow | undefined> =>
    new Promise((resolve, reject) => {
      if (queue.length === 0) setImmediate(flush)
      queue.push({ key, resolve, reject })
    })

  const flush = async () => {
    const asked = new Map(queue.splice(0).map((one) => [`${one.key.type}/${one.key.id}`, one]))
    const keys = [...asked.values()].map(({ key }) => key)
    try {
      for (let i = 0; i < keys.length; i += KEYS_AT_ONCE) {
        const found = await readCurrent(on, keys.slice(i, i + KEYS_AT_ONCE))
        for await (const rows of wholeRows(on, found)) {
          for (const row of rows) asked.get(`${row.type}/${row.id}`)?.resolve(row)
        }
      }
      // Those that were found know it already.
      for (const { resolve } of asked.values()) resolve(undefined)
    } catch (error) {
      for (const { reject } of asked.values()) reject(error)
    }
  }

  const anyReferrer = async (
    { type, id }: ResourceKey,
    among: ReadonlySet<string> | undefined,
    refers: (row: Referrer) => boolean,
  ): Promise<boolean> => {
    const keys = [refersToKey(type, id)]
    const condition = visibleCondition(access, repository.params, repository.base, among)
    for (let after = 0; ; ) {
      const found = await readReferrers(on, keys, condition, after, REFERRERS_AT_ONCE)
      for await (const rows of wholeRows(on, found)) {
        for (const row of rows) if (refers(row) && (await permitted(contentOf(row)))) return true
      }
      if (found.length < REFERRERS_AT_ONCE) return false
      after = found.at(-1)!.sk
    }
  }

  return {
    isVisible: (key) =>
      remember(`is ${key.type}/${key.id}`, async () => {
        if (visibleFor(access, key.type).kind === 'none') return false
        const row = await load(key)
        return row !== undefined && permitted(contentOf(row))
      }),
    hasVisibleAttachment: (binary) =>
      remember(`attachment ${binary.id}`, () =>
        anyReferrer(binary, ATTACHING, (row) =>
          attachmentsOf(contentOf(row), repository.base).includes(binary.id),
        ),
      ),
    hasVisibleReferrer: (key) =>
      remember(`referrer ${key.type}/${key.id}`, () =>
        anyReferrer(key, undefined, (row) =>
          row.refs.some((ref) => ref.endsWith(`=${key.type}/${key.id}`)),
        ),
      ),
    wouldBeVisible: permitted,
  }
}

const ATTACHING: ReadonlySet<string> = new Set(['DocumentReference', 'DiagnosticReport', 'Media'])

/** The current versions of these instances, in any order; absent and deleted ones are left out. */
export async function readCurrent(
  on: Queryable,
  keys: readonly ResourceKey[],
): Promise<FoundRow[]> {
  if (keys.length === 0) return []
  return run<FoundRow>(
    on,
    `select ${VERSION_COLUMNS}, ${SMALL_BODY} from unnest($1::text[], $2::text[]) as k(type, id)
     join res r on r.type = k.type and r.id = k.id where not r.deleted`,
    [keys.map(({ type }) => type), keys.map(({ id }) => id)],
  )
}
