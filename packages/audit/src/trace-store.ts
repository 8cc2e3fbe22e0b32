import type { Pool } from './pool.ts'
import type { Trace, TraceOutcome, TraceQuery, TraceSink } from './trace.ts'

export interface TraceStore extends TraceSink {
  /** Newest first. Holds what was recorded before the call. */
  list(query: TraceQuery): Promise<readonly Trace[]>
  /** Writes what is buffered. @throws what the database threw; the buffer is kept */
  flush(): Promise<void>
  /** Writes what is buffered and takes nothing more. */
  close(): Promise<void>
}

export interface TraceStoreOptions {
  readonly pool: Pool
  /** Older traces are removed. */
  readonly maxAgeSeconds?: number
  /** The oldest ones beyond that many are removed. */
  readonly maxTraces?: number
  /** How long traces wait to be written together. */
  readonly lingerMs?: number
  /** Epoch milliseconds. */
  readonly now?: () => number
  readonly onError?: (error: unknown) => void
}

/** Permitted requests kept per batch: enough to see what goes on, too few to cost anything. */
const PERMITTED_PER_BATCH = 50
const MAX_WAITING = 5000
const PRUNE_EVERY_MS = 60_000

/**
 * Recent requests with their checks, for the operator: bounded in number and age, written in
 * batches. Under load permitted requests are thinned out, refused ones are kept; what does not fit
 * the buffer while the database is down is dropped, oldest first.
 */
export function createTraceStore(options: TraceStoreOptions): TraceStore {
  const { pool } = options
  const maxAgeSeconds = options.maxAgeSeconds ?? 7 * 86_400
  const maxTraces = options.maxTraces ?? 50_000
  const lingerMs = options.lingerMs ?? 500
  const now = options.now ?? Date.now
  const onError = options.onError ?? (() => undefined)

  let waiting: Trace[] = []
  let permitted = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let prunedAtMs = 0

  function schedule(): void {
    if (timer !== undefined || closed) return
    timer = setTimeout(() => {
      timer = undefined
      flush().catch(onError)
    }, lingerMs)
    timer.unref()
  }

  function flush(): Promise<void> {
    const next = writing.catch(() => undefined).then(write)
    writing = next
    return next
  }

  async function write(): Promise<void> {
    const batch = waiting
    waiting = []
    permitted = 0
    if (batch.length > 0) {
      try {
        await pool.query(INSERT, [
          batch.map((trace) => trace.atMs),
          batch.map((trace) => trace.correlationId),
          batch.map((trace) => trace.clientId ?? null),
          batch.map((trace) => trace.outcome),
          batch.map((trace) => JSON.stringify(trace)),
        ])
      } catch (error) {
        waiting = [...batch, ...waiting].slice(-MAX_WAITING)
        schedule()
        throw error
      }
    }
    if (now() - prunedAtMs < PRUNE_EVERY_MS) return
    prunedAtMs = now()
    await pool.query(PRUNE, [now() - maxAgeSeconds * 1000, maxTraces])
  }

  return {
    record(outcome: TraceOutcome, make: () => Trace) {
      if (closed) return
      if (outcome === 'permitted') {
        if (permitted >= PERMITTED_PER_BATCH) return
        permitted += 1
      }
      if (waiting.length >= MAX_WAITING) waiting.shift()
      waiting.push(make())
      schedule()
    },
    async list(query) {
      await flush()
      const limit = Math.min(Math.max(query.limit ?? 50, 1), 500)
      const { rows } = await pool.query<{ content: Trace }>(FIND, [
        query.correlationId ?? null,
        query.clientId ?? null,
        query.outcome ?? null,
        query.beforeMs ?? null,
        limit,
      ])
      return rows.map((row) => row.content)
    },
    flush,
    async close() {
      closed = true
      clearTimeout(timer)
      await flush()
    },
  }
}

const INSERT = `
  INSERT INTO trace (at_ms, correlation_id, client_id, outcome, content)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::jsonb[])`

const FIND = `
  SELECT content FROM trace
  WHERE ($1::text IS NULL OR correlation_id = $1)
    AND ($2::text IS NULL OR client_id = $2)
    AND ($3::text IS NULL OR outcome = $3)
    AND ($4::bigint IS NULL OR at_ms < $4)
  ORDER BY id DESC LIMIT $5`

const PRUNE = `
  DELETE FROM trace WHERE at_ms < $1
     OR id <= (SELECT id FROM trace ORDER BY id DESC OFFSET $2 LIMIT 1)`
