import type { Access, FhirResource, ResourceKey, VisibilityLookup } from '@scopegate/fhir-model'
import { compilePredicate } from '@scopegate/fhir-model'
import { attachmentsOf } from './attachments.ts'
import { refersToKey } from './keys.ts'
import { type Referrer, readReferrers } from './read-referrers.ts'
import { matchOptions, type Repository, visibleFor } from './request.ts'
import { visibleCondition } from './sql/predicate.ts'
import { type Queryable, run } from './statement.ts'
import { contentOf, ROW_COLUMNS, type StoredRow } from './stored-row.ts'

/** A Provenance of a Provenance of a Provenance: beyond this depth nothing is visible. */
const DEEPEST = 3
const REFERRERS_AT_ONCE = 20

interface Waiting {
  readonly key: ResourceKey
  resolve(row: StoredRow | undefined): void
  reject(error: unknown): void
}

/**
 * Answers, under one Access, what predicates ask about other resources. Questions of one turn of
 * the event loop become one query; answers are kept as long as the lookup is, that is one request.
 */
export function createLookup(
  repository: Repository,
  on: Queryable,
  access: Access,
  depth: number,
): VisibilityLookup {
  const answers = new Map<string, Promise<boolean>>()
  const queue: Waiting[] = []
  const deeper = () => createLookup(repository, on, access, depth + 1)

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
    const asked = queue.splice(0)
    try {
      const rows = await readCurrent(
        on,
        asked.map(({ key }) => key),
      )
      const found = new Map(rows.map((row) => [`${row.type}/${row.id}`, row]))
      for (const { key, resolve } of asked) resolve(found.get(`${key.type}/${key.id}`))
    } catch (error) {
      for (const { reject } of asked) reject(error)
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
      const rows = await readReferrers(on, keys, condition, after, REFERRERS_AT_ONCE)
      for (const row of rows) if (refers(row) && (await permitted(contentOf(row)))) return true
      if (rows.length < REFERRERS_AT_ONCE) return false
      after = rows.at(-1)!.sk
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
): Promise<StoredRow[]> {
  if (keys.length === 0) return []
  return run<StoredRow>(
    on,
    `select ${ROW_COLUMNS} from unnest($1::text[], $2::text[]) as k(type, id)
     join res r on r.type = k.type and r.id = k.id where not r.deleted`,
    [keys.map(({ type }) => type), keys.map(({ id }) => id)],
  )
}
