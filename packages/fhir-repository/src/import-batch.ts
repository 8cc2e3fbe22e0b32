import {
  type FhirResource,
  type Problem,
  parseResource,
  type ResourceKey,
  validateResource,
  withIdAndMeta,
} from '@scopegate/fhir-model'
import type { Storage } from '@scopegate/storage'
import { type Change, insertNew, supersede } from './apply-changes.ts'
import { indexRows } from './index-rows.ts'
import { isUniqueViolation } from './is-unique-violation.ts'
import { wholeRow } from './large-bodies.ts'
import { lockRows } from './lock-rows.ts'
import type { Repository } from './request.ts'
import type { RowNumbers } from './row-numbers.ts'
import type { StoredRow } from './stored-row.ts'

export interface ImportOptions {
  /** Takes `meta.lastUpdated` over from the line where it is later than what is stored. */
  readonly keepLastUpdated?: boolean
  /** Which problems refuse a line; by default those of `validateResource`. */
  readonly validate?: (resource: FhirResource, text: string) => readonly Problem[]
}

/** What became of one line. */
export type ImportedLine =
  | ({
      readonly kind: 'created' | 'updated' | 'unchanged'
      readonly versionId: number
    } & ResourceKey)
  | { readonly kind: 'refused'; readonly type?: string; readonly problems: readonly Problem[] }

export interface ImportDeps {
  readonly storage: Storage
  readonly repository: Repository
  readonly rowNumbers: RowNumbers
  readonly now: () => number
}

interface Line {
  readonly at: number
  readonly text: string
  readonly resource: FhirResource
  readonly id: string
}

/**
 * Stores resources with the ids they bring, each line by itself: a refused one stops no other.
 * Idempotent: the same content under the same id changes nothing, other content becomes a new
 * version. One transaction; best with some hundred lines, two calls in flight. For the operator:
 * no Access judges what comes in.
 */
export async function importBatch(
  deps: ImportDeps,
  lines: readonly string[],
  options: ImportOptions = {},
): Promise<readonly ImportedLine[]> {
  const answers: (ImportedLine | undefined)[] = lines.map(() => undefined)
  let wave: Line[] = []
  for (const [at, text] of lines.entries()) {
    const read = readLine(at, text, options)
    if ('kind' in read) answers[at] = read
    else wave.push(read)
  }
  while (wave.length > 0) {
    // The same instance twice in one batch: in the order of the lines, one after the other.
    const { first, later } = partByIdentity(wave)
    for (const [at, answer] of await storeWithRetry(deps, first, options)) answers[at] = answer
    wave = later
  }
  return answers.map((answer) => answer!)
}

function readLine(at: number, text: string, options: ImportOptions): Line | ImportedLine {
  const parsed = parseResource(text)
  if (!parsed.ok) return { kind: 'refused', problems: parsed.problems }
  const { resource } = parsed
  const problems = (options.validate ?? validateResource)(resource, text)
  if (problems.length > 0) return { kind: 'refused', type: resource.resourceType, problems }
  if (typeof resource.id !== 'string') {
    const problem: Problem = {
      code: 'required',
      expression: `${resource.resourceType}.id`,
      text: 'it has no `id`, which an import keeps: give it one, or create it over the API',
    }
    return { kind: 'refused', type: resource.resourceType, problems: [problem] }
  }
  return { at, text, resource, id: resource.id }
}

function partByIdentity(lines: readonly Line[]): { first: Line[]; later: Line[] } {
  const seen = new Set<string>()
  const first: Line[] = []
  const later: Line[] = []
  for (const line of lines) {
    const key = `${line.resource.resourceType}/${line.id}`
    ;(seen.has(key) ? later : first).push(line)
    seen.add(key)
  }
  return { first, later }
}

const ATTEMPTS = 5

async function storeWithRetry(
  deps: ImportDeps,
  lines: readonly Line[],
  options: ImportOptions,
): Promise<readonly (readonly [at: number, answer: ImportedLine])[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await store(deps, lines, options)
    } catch (error) {
      // Somebody else made one of the ids in the meantime: it is an update now.
      if (!isUniqueViolation(error) || attempt >= ATTEMPTS) throw error
    }
  }
}

async function store(
  { storage, repository, rowNumbers, now }: ImportDeps,
  lines: readonly Line[],
  options: ImportOptions,
): Promise<readonly (readonly [at: number, answer: ImportedLine])[]> {
  // Indexed outside the transaction, so that it is short.
  const indices = lines.map(({ resource }) =>
    indexRows(resource, repository.params, repository.base),
  )
  return storage.transaction(async (client) => {
    const stored = await lockRows(
      client,
      lines.map(({ resource, id }) => ({ type: resource.resourceType, id })),
    )
    const numbers = await rowNumbers.take(lines.length - stored.size, client)
    const nowMs = now()
    const inserted: Change[] = []
    const superseding: Change[] = []
    const answers: (readonly [number, ImportedLine])[] = []
    for (const [i, line] of lines.entries()) {
      const { at, resource, id } = line
      const type = resource.resourceType
      const found = stored.get(`${type}/${id}`)
      const before = found && (await wholeRow(client, found))
      if (before !== undefined && isSameContent(line, before)) {
        answers.push([at, { kind: 'unchanged', type, id, versionId: before.ver }])
        continue
      }
      const ver = (before?.ver ?? 0) + 1
      const least = before === undefined ? Number.NEGATIVE_INFINITY : before.lu + 1
      const lu = Math.max(
        (options.keepLastUpdated === true ? lastUpdatedOf(resource) : undefined) ?? nowMs,
        least,
      )
      const body = bodyOf(line, ver, lu)
      const sk = before?.sk ?? numbers.shift()!
      const change: Change = { sk, type, id, ver, lu, method: 'PUT', body, index: indices[i]! }
      ;(before === undefined ? inserted : superseding).push(change)
      const kind = before === undefined || before.deleted ? 'created' : 'updated'
      answers.push([at, { kind, type, id, versionId: ver }])
    }
    await insertNew(client, inserted)
    await supersede(client, superseding)
    return answers
  })
}

/** `_lastUpdated` is searched by its column, every other parameter by what the line says. */
const bodyOf = ({ text, resource, id }: Line, ver: number, lu: number): string =>
  withIdAndMeta(text, resource, {
    id,
    versionId: String(ver),
    lastUpdated: new Date(lu).toISOString(),
  })

const isSameContent = (line: Line, stored: StoredRow): boolean =>
  !stored.deleted && bodyOf(line, stored.ver, stored.lu) === stored.body

function lastUpdatedOf({ meta }: FhirResource): number | undefined {
  const ms = typeof meta?.lastUpdated === 'string' ? Date.parse(meta.lastUpdated) : Number.NaN
  return Number.isSafeInteger(ms) ? ms : undefined
}
