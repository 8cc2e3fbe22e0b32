import {
  type HistoryAnswer,
  type HistoryQuery,
  isUnrestricted,
  type ResourceKey,
  type StoredVersion,
} from '@scopegate/fhir-model'
import { type FoundRow, wholeRow } from './large-bodies.ts'
import { isInstanceVisible, readSupersededBelow } from './read.ts'
import { absent, hidden } from './refusal.ts'
import { isRowPermitted, type Request } from './request.ts'
import { type StoredRow, toVersion } from './stored-row.ts'

const AT_ONCE = 100

/**
 * The versions of one instance that `r` permits, newest first, each judged by its own content; a
 * deletion by the content that it ended. Nothing of an instance that is hidden now. `sinceMs` is
 * inclusive; `atMs` asks for the one version that was current then. As many as asked for, fewer when
 * they are large.
 */
export async function history(
  request: Request,
  key: ResourceKey,
  query: HistoryQuery,
): Promise<HistoryAnswer> {
  const current = await request.readRow(key)
  if (current === undefined) return absent('never', key)
  if (!(await isInstanceVisible(request, current))) return hidden(request.access, 'r', current)

  const after = query.after?.[0]
  const below = typeof after === 'number' ? after : Number.POSITIVE_INFINITY
  const versions: StoredVersion[] = []
  let room = request.repository.limits.pageCharacters
  let total = 0
  let more = false
  let wasCurrentAt: number | undefined
  for await (const { row, permitted } of judgedVersions(request, current)) {
    if (query.atMs !== undefined && row.lu <= query.atMs) wasCurrentAt ??= row.ver
    if (!permitted) continue
    if (query.sinceMs !== undefined && row.lu < query.sinceMs) continue
    if (query.atMs !== undefined && row.ver !== wasCurrentAt) continue
    total += 1
    if (row.ver >= below) continue
    if (more || versions.length === query.count) {
      more = true
      continue
    }
    const version = toVersion(await wholeRow(request.on, row))
    room -= version.body.length
    if (room < 0 && versions.length > 0) more = true
    else versions.push(version)
  }
  return {
    kind: 'done',
    versions,
    total,
    ...(more && versions.length > 0 ? { next: [versions.at(-1)!.versionId] } : {}),
  }
}

interface JudgedVersion {
  readonly row: FoundRow
  readonly permitted: boolean
}

async function* judgedVersions(request: Request, current: StoredRow): AsyncIterable<JudgedVersion> {
  const deletions: FoundRow[] = []
  for await (const row of allVersions(request, current)) {
    if (row.deleted) {
      deletions.push(row)
      continue
    }
    const permitted =
      isUnrestricted(request.access, 'r', row.type) ||
      (await isRowPermitted(request, 'r', await wholeRow(request.on, row)))
    for (const deletion of deletions.splice(0)) yield { row: deletion, permitted }
    yield { row, permitted }
  }
}

async function* allVersions(request: Request, current: StoredRow): AsyncIterable<FoundRow> {
  yield current
  for (let below = current.ver; ; ) {
    const rows = await readSupersededBelow(request.on, current, below, AT_ONCE)
    yield* rows
    if (rows.length < AT_ONCE) return
    below = rows.at(-1)!.ver
  }
}
