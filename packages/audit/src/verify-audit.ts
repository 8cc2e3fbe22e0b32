import { timingSafeEqual } from 'node:crypto'
import type { AuditKind } from './audit-log.ts'
import { type ChainHash, chainHash, chainHead, chainStart } from './chain.ts'
import type { Pool } from './pool.ts'

export interface AuditVerification {
  readonly intact: boolean
  /** Rows that were looked at. */
  readonly entries: number
  readonly chains: number
  /** What is wrong, and from which entry on. */
  readonly problem?: string
}

export interface VerifyAuditOptions {
  readonly pool: Pool
  readonly kind: AuditKind
  /** The key the chains were made with. */
  readonly chainKey?: Uint8Array
}

interface ChainRow {
  readonly writer: string
  readonly keyed: boolean
  readonly first_seq: number
  readonly first_prev: Buffer
  readonly last_seq: number
  readonly last_hash: Buffer
}

interface EntryRow {
  readonly seq: number
  readonly at_ms: number
  readonly patient: string | null
  readonly client_id: string | null
  readonly content: string
  readonly hash: Buffer
}

const PAGE = 5000

/**
 * Recomputes every chain of the audit: rows changed, removed, added or moved are found, and so is a
 * chain whose end was cut off. Reads page by page; writers may go on meanwhile. It does not find a
 * chain that was removed as a whole together with its head, nor an old end that was cut off as
 * retention does it, nor, without a key, a chain that was written anew: keep copies of the heads
 * elsewhere for that.
 */
export async function verifyAudit(options: VerifyAuditOptions): Promise<AuditVerification> {
  const { pool, kind } = options
  const hash = chainHash(options.chainKey)
  const { rows: chains } = await pool.query<ChainRow>(
    `SELECT writer, keyed, first_seq, first_prev, last_seq, last_hash
     FROM audit_chain WHERE kind = $1 ORDER BY started_at, writer`,
    [kind],
  )
  let entries = 0
  for (const chain of chains) {
    const verified = await verifyChain(options, chain, hash)
    entries += verified.entries
    if (verified.problem !== undefined) {
      return { intact: false, entries, chains: chains.length, problem: verified.problem }
    }
  }
  const { rows: strays } = await pool.query<{ writer: string; seq: number }>(
    `SELECT a.writer, a.seq FROM ${TABLE[kind]} a LEFT JOIN audit_chain c USING (writer)
     WHERE c.writer IS NULL OR a.seq < c.first_seq LIMIT 1`,
  )
  if (strays[0] !== undefined) {
    const problem = `entry ${strays[0].seq} of ${strays[0].writer} belongs to no chain`
    return { intact: false, entries, chains: chains.length, problem }
  }
  return { intact: true, entries, chains: chains.length }
}

export const TABLE: Readonly<Record<AuditKind, 'audit_access' | 'audit_admin'>> = {
  access: 'audit_access',
  admin: 'audit_admin',
}

async function verifyChain(
  { pool, kind, chainKey }: VerifyAuditOptions,
  chain: ChainRow,
  hash: ChainHash,
): Promise<{ readonly entries: number; readonly problem?: string }> {
  const { writer } = chain
  const name = `chain ${writer}`
  if (chain.keyed !== (chainKey !== undefined)) {
    const made = chain.keyed ? 'with a key, which is not at hand' : 'without the key'
    return { entries: 0, problem: `${name} was made ${made}` }
  }
  let previous: Uint8Array =
    chain.first_seq === 1 ? chainStart(hash, writer, kind) : chain.first_prev
  let seq = chain.first_seq - 1
  let entries = 0
  const patient = kind === 'access' ? 'patient' : 'NULL AS patient'
  for (;;) {
    const { rows } = await pool.query<EntryRow>(
      `SELECT seq, at_ms, ${patient}, client_id, content, hash FROM ${TABLE[kind]}
       WHERE writer = $1 AND seq > $2 ORDER BY seq LIMIT ${PAGE}`,
      [writer, seq],
    )
    for (const row of rows) {
      entries += 1
      seq += 1
      if (row.seq !== seq) return { entries, problem: `${name}: entry ${seq} is missing` }
      const expected = hash(previous, seq, row.content)
      if (!timingSafeEqual(expected, row.hash) || !agrees(row)) {
        return { entries, problem: `${name}: entry ${seq} was changed` }
      }
      if (seq === chain.last_seq && !chainHead(hash, seq, expected).equals(chain.last_hash)) {
        return { entries, problem: `${name}: entry ${seq} is not the one its head names` }
      }
      previous = expected
    }
    if (rows.length < PAGE) break
  }
  if (seq < chain.last_seq) {
    return { entries, problem: `${name}: entries ${seq + 1} to ${chain.last_seq} are missing` }
  }
  return { entries }
}

/** The columns that queries use say the same as the text that was hashed. */
function agrees({ content, at_ms, patient, client_id }: EntryRow): boolean {
  const event = JSON.parse(content) as { atMs?: number; patient?: string; clientId?: string }
  return (
    event.atMs === at_ms &&
    (event.patient ?? null) === patient &&
    (event.clientId ?? null) === client_id
  )
}
