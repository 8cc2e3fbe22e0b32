import type { ServerResponse } from 'node:http'
import { endAt } from '@scopegate/upstream'
import type { OutboundCall } from './outbound-call.ts'

export interface OutboundStreamsDeps {
  /** Asked again while a stream runs; missing: nobody authenticates. */
  readonly isStillPermitted: ((request: OutboundCall['request']) => Promise<boolean>) | undefined
  readonly nowMs: () => number
  readonly onError: ((error: unknown, correlationId: string) => void) | undefined
  /** Default 5 s. */
  readonly recheckMs?: number
}

export interface OutboundStreams {
  /** Ends the answer when the caller's token ends: by time, or by revocation. */
  add(call: OutboundCall, response: ServerResponse): void
  close(): void
}

/** How late an end may be noticed, where nobody tells of it. */
const RECHECK_MS = 5000

/**
 * Streams of events of callers who were authenticated: they end with what opened them, as WebSockets
 * do. Other answers are let finish.
 */
export function createOutboundStreams(deps: OutboundStreamsDeps): OutboundStreams {
  const { isStillPermitted, nowMs, onError, recheckMs = RECHECK_MS } = deps
  const open = new Map<ServerResponse, OutboundCall>()
  const rechecking = setInterval(() => {
    for (const [response, { request, correlationId }] of open) {
      isStillPermitted?.(request).then(
        (isGood) => isGood || response.destroy(),
        (error: unknown) => onError?.(error, correlationId),
      )
    }
  }, recheckMs)
  rechecking.unref()

  return {
    add(call, response) {
      const { caller } = call
      if (caller === undefined || isStillPermitted === undefined) return
      open.set(response, call)
      const endsAtMs = Date.now() + caller.expiresAt * 1000 - nowMs()
      const timer = endAt(endsAtMs, () => response.destroy())
      response.once('close', () => {
        timer.stop()
        open.delete(response)
      })
    },
    close: () => clearInterval(rechecking),
  }
}
