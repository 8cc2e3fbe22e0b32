import type { HistoryAnswer, HistoryQuery, ResourceKey, StoredVersion } from '@scopegate/fhir-model'
import { isInstanceVisible, readSupersededBelow } from './read.ts'
import { absent, hidden } from './refusal.ts'
import { isRowPermitted, type Request } from './request.ts'
import { type StoredRow, toVersion } from './stored-row.ts'

const AT_ONCE = 100

/**
 * The versions of one instance that `r` permits, newest first, each judged by its own content; a
 * deletion by the content that it ended. Nothing of an instance that is hidden now. `sinceMs` is
 * inclusive; `atMs` asks for the one version that was current then.
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
    if (versions.length < query.count) versions.push(toVersion(row))
    else more = true
  }
  return {
    kind: 'done',
    versions,
    total,
    ...(more && versions.length > 0 ? { next: [versions.at(-1)!.versionId] } : {}),
  }
}

interface JudgedVersion {
  readonly row: StoredRow
  readonly permitted: boolean
}

async function* judgedVersions(request: Request, current: StoredRow): AsyncIterable<JudgedVersion> {
  const deletions: StoredRow[] = []
  for await (const row of allVersions(request, current)) {
    if (row.deleted) {
      deletions.push(row)
      continue
    }
    const permitted = await isRowPermitted(request, 'r', row)
    for (const deletion of deletions.splice(0)) yield { row: deletion, permitted }
    yield { row, permitted }
  }
}

async function* allVersions(request: Request, current: StoredRow): AsyncIterable<StoredRow> {
  yield current
  for (let below = current.ver; ; ) {
    const rows = await readSupersededBelow(request.on, current, below, AT_ONCE)
    yield* rows
    if (rows.length < AT_ONCE) return
    below = rows.at(-1)!.ver
  }
}
