import { Pool } from 'undici'
import type { Api } from './api.ts'
import { type Breaker, createBreaker } from './breaker.ts'

/** The connections to what is behind one API. */
export interface Upstream {
  readonly pool: Pool
  readonly breaker: Breaker
  /** Requests that run or wait. */
  active: number
  /** More than that many are turned away. */
  readonly maxActive: number
  close(): Promise<void>
}

/** Node servers close an idle connection after 5 s; who writes to it at that moment loses. */
const KEEP_ALIVE_MS = 4000

/** APIs with the same upstream have connections of their own: one cannot starve the other. */
export function createUpstream(api: Api, nowMs: () => number): Upstream {
  const { limits } = api
  const pool = new Pool(api.upstreamOrigin, {
    connections: limits.connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: 600_000,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    connect: { timeout: limits.connectTimeoutMs },
    maxHeaderSize: 64 * 1024,
    allowH2: false,
  })
  return {
    pool,
    breaker: createBreaker(limits.breakerFailures, limits.breakerMs, nowMs),
    active: 0,
    maxActive: limits.connections + limits.queued,
    close: () => pool.destroy(),
  }
}
