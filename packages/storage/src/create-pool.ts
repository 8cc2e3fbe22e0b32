import pg from 'pg'

export type Connection = Readonly<pg.ClientConfig>

export interface PoolOptions {
  /** Connections at most. */
  readonly poolSize: number
  /** How long a caller waits for a free connection before the answer is `unavailable`. */
  readonly acquireTimeoutMs: number
  readonly onError: (error: Error) => void
}

/**
 * `bigint` as a number, `date` as its text (a FHIR date has no time zone); everything else as `pg`
 * has it: `numeric` and the elements of `bigint[]` are text, `timestamptz` a Date, `jsonb` parsed.
 */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<
  number,
  (text: string) => unknown
>([
  [
    pg.types.builtins.INT8,
    (text) => {
      const value = Number(text)
      if (!Number.isSafeInteger(value)) throw new RangeError('bigint beyond 2^53: cast it to text')
      return value
    },
  ],
  [pg.types.builtins.DATE, (text) => text],
])

export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    const own = format === 'binary' ? undefined : PARSERS.get(oid)
    return own ?? pg.types.getTypeParser(oid, format as 'text')
  }) as typeof pg.types.getTypeParser,
}

/**
 * Its connection may be lost at any moment, also between two queries of whoever holds it. The next
 * query says so; without a listener the loss itself would end the process.
 */
class SteadyClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    this.on('error', () => {})
  }
}

/** A pool that survives a lost database: broken clients are dropped, the next query connects anew. */
export function createPool(connection: Connection, options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    application_name: 'scopegate',
    keepAlive: true,
    ...connection,
    Client: SteadyClient,
    types: typeParsers,
    max: options.poolSize,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    idleTimeoutMillis: 60_000,
    // Statements are written so that one plan serves all values; planning each time costs more than
    // running them. Not as a startup option, which connection poolers refuse.
    onConnect: async (client) => {
      await client.query('SET plan_cache_mode = force_generic_plan')
    },
  })
  // An idle client's lost connection is told by the pool.
  pool.on('error', options.onError)
  return pool
}
