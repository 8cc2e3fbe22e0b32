import type { ServerResponse } from 'node:http'
import { endAt } from '@scopegate/upstream'
import type { ApiCall } from './call.ts'
import { credentialsEndMs, isStillPermitted } from './credentials-end.ts'
import type { Judge } from './judge.ts'
import type { WebLogin } from './web-login.ts'

export interface OpenStreamsDeps {
  readonly logins: readonly WebLogin[]
  readonly judge: Judge
  readonly nowMs: () => number
  readonly onError: ((error: unknown, correlationId: string) => void) | undefined
}

export interface OpenStreams {
  /** Ends `response` when the credentials of the call end; of a public route it goes on. */
  add(call: ApiCall, sessionId: string | undefined, response: ServerResponse): void
  close(): void
}

interface OpenStream {
  readonly call: ApiCall
  readonly sessionId: string | undefined
}

/** How late an end may be noticed, where nobody tells of it. */
const RECHECK_MS = 5000

/**
 * Streams of events: they end when what opened them ends, be it a session, by logout or age, or a
 * token, by time or revocation. Other answers are let finish.
 *
 * @see HTML, server-sent events
 */
export function createOpenStreams(deps: OpenStreamsDeps): OpenStreams {
  const { logins, judge, nowMs } = deps
  const open = new Map<ServerResponse, OpenStream>()

  const stops = logins.map((login) =>
    login.onEnded((ended) => {
      for (const [response, { sessionId }] of open) if (sessionId === ended) response.destroy()
    }),
  )
  const rechecking = setInterval(() => {
    for (const [response, { call, sessionId }] of open) {
      // Every login knows the sessions of all: they share one table.
      const asked =
        sessionId === undefined ? isStillPermitted(call, judge) : logins[0]?.isAlive(sessionId)
      asked?.then(
        (isGood) => isGood || response.destroy(),
        (error: unknown) => deps.onError?.(error, call.correlationId),
      )
    }
  }, RECHECK_MS)
  rechecking.unref()

  return {
    add(call, sessionId, response) {
      if (call.caller === undefined) return
      open.set(response, { call, sessionId })
      const endsMs = credentialsEndMs(call, nowMs)
      const timer = endsMs === undefined ? undefined : endAt(endsMs, () => response.destroy())
      response.once('close', () => {
        timer?.stop()
        open.delete(response)
      })
    },
    close() {
      clearInterval(rechecking)
      for (const stop of stops) stop()
    },
  }
}
