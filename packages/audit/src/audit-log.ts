import { randomUUID } from 'node:crypto'
import { essentialWrite } from '@scopegate/storage'
import type { AccessEvent, AdminEvent } from './access-event.ts'
import { createBatchWriter } from './batch-writer.ts'
import { chainHash, chainHead, chainStart } from './chain.ts'
import type { Pool } from './pool.ts'

/** Where events go. */
export interface AuditLog<Event> {
  /**
   * `required`: a promise that resolves when the row is durable and rejects when it could not be
   * written, in which case the request must fail. `best-effort`: nothing to wait for.
   */
  record(event: Event): Promise<void> | undefined
  /** Writes what is buffered. */
  flush(): Promise<void>
  /** Writes what is buffered and takes nothing more. */
  close(): Promise<void>
  /** Events that could not be written since the start. */
  readonly lost: number
}

export type AccessAudit = AuditLog<AccessEvent>
export type AdminAudit = AuditLog<AdminEvent>

export interface AuditLogOptions {
  readonly pool: Pool
  readonly mode: 'required' | 'best-effort'
  /** Makes the chain one that only holders of the key can extend or rewrite; 32 bytes. */
  readonly chainKey?: Uint8Array
  /** Events that may wait to be written; more are lost (best effort) or refused (required). */
  readonly maxBuffered?: number
  /** Told when events were lost or a batch failed; gets no event. */
  readonly onError?: (error: unknown, lost: number) => void
}

/** The audit of access to clinical data. No FHIR route and no clinical scope leads to it. */
export function createAccessAudit(options: AuditLogOptions): AccessAudit {
  return createAuditLog<AccessEvent>('access', options)
}

/** The audit of the admin API: every write leaves a row. */
export function createAdminAudit(options: AuditLogOptions): AdminAudit {
  return createAuditLog<AdminEvent>('admin', options)
}

export type AuditKind = 'access' | 'admin'

/** A row that has its place in the chain, so that a second try writes the very same one. */
interface Row {
  readonly seq: number
  readonly atMs: number
  readonly patient: string | null
  readonly clientId: string | null
  readonly content: string
  readonly hash: Buffer
}

type Pending<Event> = Event | { readonly lostBefore: number; readonly atMs: number }

function createAuditLog<Event extends AccessEvent | AdminEvent>(
  kind: AuditKind,
  options: AuditLogOptions,
): AuditLog<Event> {
  const { pool, mode } = options
  const maxBuffered = options.maxBuffered ?? 50_000
  const hash = chainHash(options.chainKey)
  const writer = randomUUID()
  const onError = options.onError ?? (() => undefined)
  let previous: Buffer = chainStart(hash, writer, kind)
  const start = previous
  let seq = 0
  let opened = false
  let closed = false
  let lost = 0
  let unreported = 0
  /** Rows whose fate is unknown after a failure: written again before anything else. */
  let unsettled: Row[] = []

  async function write(events: readonly Pending<Event>[]): Promise<void> {
    const rows = [...unsettled, ...events.map(seal)]
    unsettled = rows
    const last = rows.at(-1)!
    await withClient(pool, async (client) => {
      if (!opened) {
        await essentialWrite(client, (writing) =>
          writing.query(
            `INSERT INTO audit_chain (writer, kind, keyed, first_seq, first_prev, last_seq, last_hash)
           VALUES ($1, $2, $3, 1, $4, 0, $4) ON CONFLICT DO NOTHING`,
            [writer, kind, options.chainKey !== undefined, start],
          ),
        )
        opened = true
      }
      await essentialWrite(client, (writing) =>
        writing.query({
          name: `audit-${kind}`,
          text: INSERT[kind],
          values: [
            writer,
            rows.map((row) => row.seq),
            rows.map((row) => row.atMs),
            rows.map((row) => row.patient),
            rows.map((row) => row.clientId),
            rows.map((row) => row.content),
            rows.map((row) => row.hash),
            last.seq,
            chainHead(hash, last.seq, last.hash),
          ],
        }),
      )
    })
    unsettled = []
  }

  function seal(event: Pending<Event>): Row {
    seq += 1
    const content = JSON.stringify(event)
    previous = hash(previous, seq, content)
    const { patient, clientId } = event as Partial<AccessEvent>
    return {
      seq,
      atMs: event.atMs,
      patient: patient ?? null,
      clientId: clientId ?? null,
      content,
      hash: previous,
    }
  }

  const buffer = createBatchWriter<Pending<Event>>({
    write,
    maxBatch: 1000,
    maxWaiting: maxBuffered,
    lingerMs: 50,
    // What failed is in `unsettled` and goes first with the next batch.
    keepFailed: false,
    onError: (error) => onError(error, 0),
  })

  /** Tries again while rows are unsettled and nobody else writes. */
  async function settle(): Promise<void> {
    await buffer.flush()
    if (unsettled.length > 0) await write([])
  }

  function drop(): void {
    lost += 1
    unreported += 1
    onError(new Error('the audit buffer is full'), 1)
  }

  return {
    get lost() {
      return lost
    },
    record(event) {
      if (closed || unsettled.length > 2 * maxBuffered) {
        drop()
        return mode === 'required'
          ? Promise.reject(new Error('the audit cannot be written'))
          : undefined
      }
      if (unreported > 0 && buffer.push({ lostBefore: unreported, atMs: event.atMs }))
        unreported = 0
      if (mode === 'required') return buffer.add(event)
      if (!buffer.push(event)) drop()
      return undefined
    },
    flush: settle,
    async close() {
      closed = true
      await settle()
    },
  }
}

// One statement, so that rows and the head of the chain become durable together.
const INSERT: Readonly<Record<AuditKind, string>> = {
  access: `
    WITH head AS (
      UPDATE audit_chain SET last_seq = $8, last_hash = $9 WHERE writer = $1
    )
    INSERT INTO audit_access (writer, seq, at_ms, patient, client_id, content, hash)
    SELECT $1::uuid, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[])
    ON CONFLICT DO NOTHING`,
  admin: `
    WITH head AS (
      UPDATE audit_chain SET last_seq = $8, last_hash = $9 WHERE writer = $1
    )
    INSERT INTO audit_admin (writer, seq, at_ms, client_id, content, hash)
    SELECT $1::uuid, t.seq, t.at_ms, t.client_id, t.content, t.hash
    FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[])
      AS t (seq, at_ms, patient, client_id, content, hash)
    ON CONFLICT DO NOTHING`,
}

async function withClient(
  pool: Pool,
  work: (client: Pick<Pool, 'query'>) => Promise<void>,
): Promise<void> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    await work(client)
  } catch (error) {
    failure = error as Error
    throw error
  } finally {
    // After an error the state of the connection is unknown.
    client.release(failure !== undefined)
  }
}
