import type { Pool } from 'pg'
import { originsOf } from '../clients/client.ts'

/** Which web origins public clients are registered with. */
export interface RegisteredOrigins {
  /**
   * Whether an enabled public client has this origin. From memory, which is at most `refreshMs` old;
   * synchronous but for one call in that time, unless the database cannot be asked. `null`, the
   * origin of sandboxed pages, never is.
   */
  isRegistered(origin: string): boolean | Promise<boolean>
}

export interface RegisteredOriginsDeps {
  readonly pool: Pool
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** Default 10 000. */
  readonly refreshMs?: number
}

interface Row {
  origins: string[] | null
  redirect_uris: string[]
}

/** Reads them all at once: an origin that nobody registered must cost no query. */
export function createRegisteredOrigins(deps: RegisteredOriginsDeps): RegisteredOrigins {
  const { pool, nowMs } = deps
  const refreshMs = deps.refreshMs ?? 10_000
  let origins: ReadonlySet<string> = new Set()
  let readAtMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined

  async function read(): Promise<void> {
    const startedMs = nowMs()
    const { rows } = await pool.query<Row>({
      name: 'oauth-registered-origins',
      text: 'SELECT origins, redirect_uris FROM client WHERE public AND NOT disabled',
    })
    origins = new Set(rows.flatMap((row) => row.origins ?? originsOf(row.redirect_uris)))
    readAtMs = startedMs
  }

  async function isRegisteredNow(origin: string): Promise<boolean> {
    // An answer must not fail for what only a browser asks: what was known goes on, and no more.
    pending ??= read()
      .catch(() => undefined)
      .finally(() => {
        pending = undefined
      })
    await pending
    return origins.has(origin)
  }

  return {
    isRegistered(origin) {
      if (origin === 'null') return false
      return nowMs() - readAtMs < refreshMs ? origins.has(origin) : isRegisteredNow(origin)
    },
  }
}
