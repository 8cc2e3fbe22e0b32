import type { ReadAnswer, ResourceKey } from '@scopegate/fhir-model'
import { type FoundRow, smallBodyOf } from './large-bodies.ts'
import { absent, hidden } from './refusal.ts'
import { isRowPermitted, type Request } from './request.ts'
import { type Queryable, run } from './statement.ts'
import { type StoredRow, toVersion } from './stored-row.ts'

export async function read(request: Request, key: ResourceKey): Promise<ReadAnswer> {
  const row = await request.readRow(key)
  if (row === undefined) return absent('never', key)
  if (!(await isInstanceVisible(request, row))) return hidden(request.access, 'r', row)
  return { kind: row.deleted ? 'gone' : 'done', version: toVersion(row) }
}

/** The version asked for, if it and the current one are permitted. */
export async function readVersion(
  request: Request,
  key: ResourceKey,
  versionId: number,
): Promise<ReadAnswer> {
  const current = await request.readRow(key)
  if (current === undefined) return absent('never', key)
  if (!(await isInstanceVisible(request, current))) return hidden(request.access, 'r', current)
  if (current.ver === versionId) {
    return { kind: current.deleted ? 'gone' : 'done', version: toVersion(current) }
  }
  const version = await readSuperseded(request.on, current, versionId)
  if (version === undefined) return absent('never', key)
  // The mark of a deletion is judged by the content that it ended.
  const judged = version.deleted
    ? await readContentBefore(request.on, current, version.ver)
    : version
  if (judged === undefined || !(await isRowPermitted(request, 'r', judged))) {
    return absent('version', key)
  }
  return { kind: version.deleted ? 'gone' : 'done', version: toVersion(version) }
}

/** Whether the current content, or of a deleted instance the last one, is permitted under `r`. */
export async function isInstanceVisible(
  request: Request,
  current: StoredRow,
  letter: 'r' | 'd' | 'visible' = 'r',
): Promise<boolean> {
  if (!current.deleted) return isRowPermitted(request, letter, current)
  const last = await readContentBefore(request.on, current, current.ver)
  return last !== undefined && isRowPermitted(request, letter, last)
}

const supersededWith = (body: string) =>
  `select h.sk, h.type, $2::text as id, h.ver, h.lu, h.method, h.deleted, ${body}
  from hist h where h.sk = $1::int8`
const SUPERSEDED = supersededWith('h.body')
const SUPERSEDED_SMALL = supersededWith(smallBodyOf('h'))

async function readSuperseded(
  on: Queryable,
  { sk, id }: StoredRow,
  versionId: number,
): Promise<StoredRow | undefined> {
  if (versionId > 2_147_483_647) return undefined
  const [row] = await run<StoredRow>(on, `${SUPERSEDED} and h.ver = $3::int4`, [sk, id, versionId])
  return row
}

export async function readContentBefore(
  on: Queryable,
  { sk, id }: StoredRow,
  versionId: number,
): Promise<StoredRow | undefined> {
  const [row] = await run<StoredRow>(
    on,
    `${SUPERSEDED} and h.ver < $3::int4 and not h.deleted order by h.ver desc limit 1`,
    [sk, id, versionId],
  )
  return row
}

/** Superseded versions below `versionId`, newest first. */
export async function readSupersededBelow(
  on: Queryable,
  { sk, id }: Pick<StoredRow, 'sk' | 'id'>,
  versionId: number,
  limit: number,
): Promise<FoundRow[]> {
  return run<FoundRow>(
    on,
    `${SUPERSEDED_SMALL} and h.ver < $3::int4 order by h.ver desc limit $4::int4`,
    [sk, id, versionId, limit],
  )
}
