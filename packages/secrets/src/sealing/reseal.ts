import type { PoolClient } from 'pg'
import { type KeyRing, sealedPrefix, UnsealError } from '../sealer.ts'
import { SEALED_COLUMNS, type SealedColumn, type SealedRow } from './sealed-columns.ts'

type Queryable = Pick<PoolClient, 'query'>

export interface ResealReport {
  /** Values that are sealed with the current key now. */
  readonly resealed: number
  /** Values that no key opens: altered, or sealed with a key that is gone. Left as they are. */
  readonly unreadable: readonly { readonly column: string; readonly rows: number }[]
}

const BATCH = 200

/**
 * Seals every stored value that another key has sealed with the current one. Any number of servers
 * may go on writing: a value that changed meanwhile is left as they wrote it. Can be broken off at
 * any point and begun again.
 */
export async function resealAll(
  client: Queryable,
  ring: KeyRing,
  signal: AbortSignal,
  onResealed: (values: number) => void = () => undefined,
): Promise<ResealReport> {
  let resealed = 0
  const unreadable: { column: string; rows: number }[] = []
  for (const column of SEALED_COLUMNS) {
    let after: SealedRow | undefined
    let lost = 0
    do {
      signal.throwIfAborted()
      const batch = await resealBatch(client, ring, column, after)
      resealed += batch.resealed
      lost += batch.unreadable
      after = batch.last
      onResealed(batch.resealed)
    } while (after !== undefined)
    if (lost > 0) unreadable.push({ column: nameOf(column), rows: lost })
  }
  return { resealed, unreadable }
}

/** How many values of each column another key than this has sealed. */
export async function countOthers(
  client: Queryable,
  keyId: string,
): Promise<readonly { readonly column: string; readonly rows: number }[]> {
  const parts = SEALED_COLUMNS.map(
    (each) => `SELECT '${nameOf(each)}' AS column, count(*)::int AS rows FROM ${each.table}
                WHERE ${isOfOther(each.column)}`,
  )
  const { rows } = await client.query<{ column: string; rows: number }>(parts.join(' UNION ALL '), [
    sealedPrefix(keyId),
  ])
  return rows.filter((each) => each.rows > 0)
}

/** Ids of all keys that stored values are sealed with. */
export async function findKeyIds(client: Queryable): Promise<readonly string[]> {
  const parts = SEALED_COLUMNS.map(
    ({ table, column }) =>
      `SELECT DISTINCT substr(${column}, 4, 8) AS id FROM ${table} WHERE ${column} LIKE 'v1.%'`,
  )
  const { rows } = await client.query<{ id: string }>(parts.join(' UNION '))
  return rows.map(({ id }) => id)
}

async function resealBatch(
  client: Queryable,
  ring: KeyRing,
  sealed: SealedColumn,
  after: SealedRow | undefined,
): Promise<{ resealed: number; unreadable: number; last: SealedRow | undefined }> {
  const { table, column, key } = sealed
  const names = Object.keys(key)
  const columns = [...names, ...(sealed.with ?? [])].join(', ')
  const beyond = names.map((name, at) => `$${at + 2}::${key[name]}`).join(', ')
  const { rows } = await client.query<SealedRow & { sealed_text: string }>(
    `SELECT ${columns}, ${column} AS sealed_text FROM ${table}
      WHERE ${isOfOther(column)}
        ${after === undefined ? '' : `AND (${names.join(', ')}) > (${beyond})`}
      ORDER BY ${names.join(', ')} LIMIT ${BATCH}`,
    [
      sealedPrefix(ring.currentId),
      ...(after === undefined ? [] : names.map((name) => after[name])),
    ],
  )
  const renewed = rows.flatMap((row) => {
    const text = sealAnew(ring, sealed, row)
    return text === undefined ? [] : [{ row, text }]
  })
  const last = rows.length < BATCH ? undefined : rows.at(-1)
  if (renewed.length === 0) return { resealed: 0, unreadable: rows.length, last }
  const arrays = names.map((name, at) => `$${at + 3}::${key[name]}[]`)
  const { rowCount } = await client.query(
    `UPDATE ${table} t SET ${column} = n.renewed
       FROM unnest($1::text[], $2::text[], ${arrays.join(', ')})
         AS n (former, renewed, ${names.map((name) => `k_${name}`).join(', ')})
      WHERE ${names.map((name) => `t.${name} = n.k_${name}`).join(' AND ')}
        AND t.${column} = n.former`,
    [
      renewed.map(({ row }) => row.sealed_text),
      renewed.map(({ text }) => text),
      ...names.map((name) => renewed.map(({ row }) => row[name])),
    ],
  )
  return { resealed: rowCount ?? 0, unreadable: rows.length - renewed.length, last }
}

function sealAnew(
  ring: KeyRing,
  { place, inside }: SealedColumn,
  row: SealedRow & { readonly sealed_text: string },
): string | undefined {
  try {
    const plain = ring.unseal(row.sealed_text, place(row))
    return ring.seal(
      inside === undefined ? plain : sealInside(ring, plain, inside(row)),
      place(row),
    )
  } catch (error) {
    if (error instanceof UnsealError) return undefined
    throw error
  }
}

const SEALED_TEXT = /v1\.[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+/g

/** What is sealed inside is sealed anew as well; what none of the places fits is left. */
function sealInside(ring: KeyRing, plain: Buffer, places: readonly string[]): string {
  return plain.toString('utf8').replaceAll(SEALED_TEXT, (text) => {
    for (const place of places) {
      try {
        return ring.seal(ring.unseal(text, place), place)
      } catch (error) {
        if (!(error instanceof UnsealError)) throw error
      }
    }
    return text
  })
}

// Not LIKE: `_` is a letter of key ids. A prefix has twelve characters.
function isOfOther(column: string): string {
  return `${column} IS NOT NULL AND left(${column}, 12) <> $1`
}

function nameOf({ table, column }: SealedColumn): string {
  return `${table}.${column}`
}
