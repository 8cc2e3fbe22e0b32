import type { Handler } from '@scopegate/http'

export interface Health {
  /** Alive: the process answers. */
  readonly healthz: Handler
  /** Ready: the database answers, and the server is not going down. */
  readonly readyz: Handler
  isReady(): Promise<boolean>
  /** From now on not ready, so that a load balancer looks elsewhere. */
  drain(): void
  /** Aborts with `drain`: answers that have no end of their own end. */
  readonly draining: AbortSignal
}

const TIMEOUT_MS = 2000

export function createHealth(pool: { query(sql: string): Promise<unknown> }): Health {
  const stopping = new AbortController()

  async function problem(): Promise<string | undefined> {
    if (stopping.signal.aborted) return 'shutting down'
    const timeout = new Promise<'timeout'>((resolve) => {
      setTimeout(resolve, TIMEOUT_MS, 'timeout').unref()
    })
    try {
      const answer = await Promise.race([pool.query('select 1'), timeout])
      return answer === 'timeout' ? 'the database does not answer' : undefined
    } catch {
      return 'the database cannot be reached'
    }
  }

  return {
    healthz: () => text('ok', 200),
    async readyz() {
      const why = await problem()
      return text(why ?? 'ready', why === undefined ? 200 : 503)
    },
    isReady: async () => (await problem()) === undefined,
    drain() {
      stopping.abort()
    },
    draining: stopping.signal,
  }
}

function text(body: string, status: number): Response {
  return new Response(`${body}\n`, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' },
  })
}
