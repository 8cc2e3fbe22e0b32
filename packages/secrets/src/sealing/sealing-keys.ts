import type { PoolClient } from 'pg'
import { type MasterKey, MasterKeyError } from '../master-key.ts'
import { createKeyRing, UnsealError } from '../sealer.ts'
import { findKeyIds } from './reseal.ts'
import { createRoot, rootOfMasterKey } from './sealing-root.ts'

type Queryable = Pick<PoolClient, 'query'>

/** What the database says of one master key; the key itself is never in it. */
export interface KeyRow {
  readonly id: string
  /** `former`: values may be sealed with it still. */
  readonly status: 'current' | 'former' | 'retired'
  /** Sealed with that very key. */
  readonly proof: string
}

/** Whoever starts, or changes which key is in force, holds this for the transaction. */
export const SEALING_LOCK = `SELECT pg_advisory_xact_lock(hashtext('scopegate.sealing'))`

/** Keys that values are sealed with: the current one first. */
export async function readKeyRows(client: Queryable): Promise<readonly KeyRow[]> {
  const { rows } = await client.query<KeyRow>(
    `SELECT id, status, proof FROM sealing_key WHERE status <> 'retired' ORDER BY status, id`,
  )
  return rows
}

/**
 * Writes down the keys of a database that has none on record yet, and the root of derived keys.
 * Values from before are sealed with any of `keys`; all but the newest become former ones.
 *
 * @throws {MasterKeyError} if there are values that none of them has sealed.
 */
export async function recordKeys(
  client: Queryable,
  keys: readonly MasterKey[],
  source: string,
): Promise<void> {
  const [newest, oldest] = [keys[0]!, keys.at(-1)!]
  const found = await findKeyIds(client)
  const missing = found.find((id) => !keys.some((key) => key.id === id))
  if (missing !== undefined) throw missingKey(missing, keys, source)
  for (const key of keys) {
    if (key !== newest && !found.includes(key.id)) continue
    await writeKey(client, key, key === newest ? 'current' : 'former')
  }
  const root = found.length === 0 ? createRoot() : rootOfMasterKey(oldest)
  await client.query(
    'INSERT INTO sealing_root (id, sealed) VALUES (1, $1) ON CONFLICT DO NOTHING',
    [createKeyRing(keys, newest.id).seal(root, 'sealing_root')],
  )
}

/** Puts a key on record, or on record again. */
export async function writeKey(
  client: Queryable,
  key: MasterKey,
  status: 'current' | 'former',
): Promise<void> {
  await client.query(
    `INSERT INTO sealing_key (id, status, proof) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, proof = excluded.proof,
                                    since = now()`,
    [key.id, status, createKeyRing([key], key.id).seal('proof', proofPlace(key.id))],
  )
}

/**
 * Sees to it that every key on record is among `keys`, and is that very key.
 *
 * @throws {MasterKeyError} naming the one that is missing or wrong.
 */
export function checkKeys(
  rows: readonly KeyRow[],
  keys: readonly MasterKey[],
  source: string,
): void {
  for (const row of rows) {
    const key = keys.find(({ id }) => id === row.id)
    if (key === undefined) throw missingKey(row.id, keys, source, row.status)
    try {
      createKeyRing([key], key.id).unseal(row.proof, proofPlace(key.id))
    } catch (cause) {
      if (!(cause instanceof UnsealError)) throw cause
      throw new MasterKeyError(
        `master key \`${key.id}\` in ${source} is not the one that seals this database, though it has its id: restore the right one from its backup`,
        { cause },
      )
    }
  }
}

/** The key that seals. */
export function currentOf(rows: readonly KeyRow[]): KeyRow {
  const current = rows.find(({ status }) => status === 'current')
  if (current === undefined) throw new MasterKeyError('the database has no current master key')
  return current
}

/** Ids of the keys that are needed besides. */
export function formerOf(rows: readonly KeyRow[]): readonly string[] {
  return rows.filter(({ status }) => status === 'former').map(({ id }) => id)
}

function missingKey(
  id: string,
  keys: readonly MasterKey[],
  source: string,
  status: KeyRow['status'] = 'current',
): MasterKeyError {
  const has = keys.map((key) => `\`${key.id}\``).join(', ')
  const why =
    status === 'former'
      ? `a change of the master key is not finished: values in the database are sealed with key \`${id}\` still`
      : `the database is sealed with master key \`${id}\``
  return new MasterKeyError(
    `${why}, and ${source} holds ${has} only: restore that key from its backup, or copy it from another server of this database`,
  )
}

function proofPlace(id: string): string {
  return `sealing_key:${id}`
}
