import type { ServerResponse } from 'node:http'
import type { WebLogin } from './web-login.ts'

export interface SessionStreams {
  /** Ends `response` when the session ends; without a session it goes on. */
  add(sessionId: string | undefined, response: ServerResponse): void
  close(): void
}

/** How late the end of a session may be noticed, where nobody tells of it. */
const RECHECK_MS = 5000

/**
 * Streams of events that a session has opened: they end with it. Other answers are let finish.
 * @see HTML, server-sent events
 */
export function createSessionStreams(logins: readonly WebLogin[]): SessionStreams {
  const open = new Map<string, Set<ServerResponse>>()

  function end(sessionId: string): void {
    for (const response of open.get(sessionId) ?? []) response.destroy()
  }

  const stops = logins.map((login) => login.onEnded(end))
  const rechecking = setInterval(() => {
    for (const sessionId of open.keys()) {
      // Every login knows the sessions of all: they share one table.
      logins[0]?.isAlive(sessionId).then(
        (isAlive) => isAlive || end(sessionId),
        () => undefined,
      )
    }
  }, RECHECK_MS)
  rechecking.unref()

  return {
    add(sessionId, response) {
      if (sessionId === undefined) return
      const known = open.get(sessionId) ?? new Set()
      known.add(response)
      open.set(sessionId, known)
      response.once('close', () => {
        known.delete(response)
        if (known.size === 0 && open.get(sessionId) === known) open.delete(sessionId)
      })
    },
    close() {
      clearInterval(rechecking)
      for (const stop of stops) stop()
    },
  }
}
