import { followTraces, type StoredTrace } from './follow-traces.ts'
import type { Pool } from './pool.ts'
import { redactApiPath, redactPath } from './redact-path.ts'
import type { Trace, TraceOutcome, TraceQuery, TraceSink } from './trace.ts'

export interface TraceStore extends TraceSink {
  /** Newest first. Holds what was recorded before the call. */
  list(query: TraceQuery): Promise<readonly Trace[]>
  /** What is recorded from now on, by every process, oldest first, until `signal`. */
  follow(query: TraceQuery, signal: AbortSignal): AsyncIterable<Trace>
  /** What was not kept since the start. */
  readonly dropped: TraceLosses
  /** Writes what is buffered. @throws what the database threw; the buffer is kept */
  flush(): Promise<void>
  /** Writes what is buffered and takes nothing more. */
  close(): Promise<void>
}

export interface TraceLosses {
  /** Permitted requests that were left out under load. */
  readonly sampled: number
  /** Traces that found no room while the database was away. */
  readonly lost: number
}

export interface TraceStoreOptions {
  readonly pool: Pool
  /** Older traces are removed. */
  readonly maxAgeSeconds?: number
  /** The oldest ones beyond that many are removed. */
  readonly maxTraces?: number
  /** How long traces wait to be written together. */
  readonly lingerMs?: number
  /** How often who follows is told. */
  readonly followMs?: number
  /** Epoch milliseconds. */
  readonly now?: () => number
  readonly onError?: (error: unknown) => void
}

/** Permitted requests kept per batch: enough to see what goes on, too few to cost anything. */
const PERMITTED_PER_BATCH = 50
const MAX_WAITING = 5000
const PRUNE_EVERY_MS = 60_000
/** Longer ones are cut: their size is chosen by whoever sends the request. */
const MAX_TEXT = 2000

/**
 * Recent requests with their checks, for the operator: bounded in number, age and size, written in
 * batches. Under load permitted requests are thinned out, refused ones are kept; what does not fit
 * the buffer while the database is down is dropped, oldest first, and counted.
 */
export function createTraceStore(options: TraceStoreOptions): TraceStore {
  const { pool } = options
  const maxAgeSeconds = options.maxAgeSeconds ?? 7 * 86_400
  const maxTraces = options.maxTraces ?? 50_000
  const lingerMs = options.lingerMs ?? 500
  const now = options.now ?? Date.now
  const onError = options.onError ?? (() => undefined)
  const dropped = { sampled: 0, lost: 0 }

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
          batch.map(asText),
        ])
      } catch (error) {
        const kept = [...batch, ...waiting]
        dropped.lost += Math.max(0, kept.length - MAX_WAITING)
        waiting = kept.slice(-MAX_WAITING)
        schedule()
        throw error
      }
    }
    if (now() - prunedAtMs < PRUNE_EVERY_MS) return
    prunedAtMs = now()
    await pool.query(PRUNE, [now() - maxAgeSeconds * 1000, maxTraces])
  }

  async function find(query: TraceQuery, order: 'ASC' | 'DESC', afterId: number, limit: number) {
    const { rows } = await pool.query<{ id: string; content: Trace }>(FIND[order], [
      query.correlationId ?? null,
      query.clientId ?? null,
      query.outcome ?? null,
      query.beforeMs ?? null,
      limit,
      query.code === undefined ? null : JSON.stringify([{ outcome: 'fail', code: query.code }]),
      query.path === undefined ? null : [redactPath(query.path), redactApiPath(query.path)],
      afterId,
    ])
    return rows.map(({ id, content }): StoredTrace => ({ id: Number(id), trace: content }))
  }

  async function newest(): Promise<number> {
    await flush()
    const { rows } = await pool.query<{ id: string }>(
      'SELECT coalesce(max(id), 0) AS id FROM trace',
    )
    return Number(rows[0]?.id ?? 0)
  }

  return {
    record(outcome: TraceOutcome, make: () => Trace) {
      if (closed) return
      if (outcome === 'permitted') {
        if (permitted >= PERMITTED_PER_BATCH) {
          dropped.sampled += 1
          return
        }
        permitted += 1
      }
      if (waiting.length >= MAX_WAITING) {
        waiting.shift()
        dropped.lost += 1
      }
      waiting.push(make())
      schedule()
    },
    async list(query) {
      await flush()
      const limit = Math.min(Math.max(query.limit ?? 50, 1), 500)
      return (await find(query, 'DESC', 0, limit)).map(({ trace }) => trace)
    },
    follow(query, signal) {
      return followTraces({
        signal,
        everyMs: options.followMs ?? 500,
        newest,
        async after(id) {
          await flush()
          return find(query, 'ASC', id, 5000)
        },
      })
    },
    get dropped() {
      return { ...dropped }
    },
    flush,
    async close() {
      closed = true
      clearTimeout(timer)
      await flush()
    },
  }
}

/** As JSON of bounded size that the database takes: it has no NUL in texts. */
function asText(trace: Trace): string {
  const text = JSON.stringify(trace)
  // As nearly always: nothing in it is too long. Looking at every member takes three times as long.
  if (text.length <= MAX_TEXT && !text.includes('\\u0000')) return text
  return JSON.stringify(trace, (_name, value) =>
    typeof value === 'string' ? value.slice(0, MAX_TEXT).replaceAll('\0', '�') : value,
  )
}

const INSERT = `
  INSERT INTO trace (at_ms, correlation_id, client_id, outcome, content)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::jsonb[])`

const FIND = { ASC: find('ASC'), DESC: find('DESC') }

function find(order: 'ASC' | 'DESC'): string {
  return `
  SELECT id, content FROM trace
  WHERE ($1::text IS NULL OR correlation_id = $1)
    AND ($2::text IS NULL OR client_id = $2)
    AND ($3::text IS NULL OR outcome = $3)
    AND ($4::bigint IS NULL OR at_ms < $4)
    AND ($6::jsonb IS NULL OR content->'checks' @> $6)
    AND ($7::text[] IS NULL OR starts_with(content->>'path', $7[1])
      OR starts_with(content->>'path', $7[2]))
    AND id > $8
  ORDER BY id ${order} LIMIT $5`
}

const PRUNE = `
  DELETE FROM trace WHERE at_ms < $1
     OR id <= (SELECT id FROM trace ORDER BY id DESC OFFSET $2 LIMIT 1)`
