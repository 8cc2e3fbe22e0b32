import type { Duplex } from 'node:stream'
import { endAt } from './end-at.ts'

export interface JoinedTunnel {
  readonly near: Duplex
  readonly far: Duplex
  /** The session whose end ends it. */
  readonly sessionId?: string | undefined
  /** Epoch milliseconds by the clock of timers: when the credentials end by themselves. */
  readonly endsAtMs?: number | undefined
  /** Asked again every few seconds. */
  readonly isStillPermitted?: () => Promise<boolean>
  /** Both sides are closed. */
  readonly closed?: () => void
}

export interface OpenTunnels {
  readonly size: number
  /** Lets bytes run both ways until one side ends. */
  join(tunnel: JoinedTunnel): void
  endSession(sessionId: string): void
  /** Ends all of them. */
  close(): void
}

/** How late the end of a token or session may be noticed, where nobody tells of it. */
const RECHECK_MS = 5000

/** The WebSockets that run: they end when what opened them ends. */
export function createOpenTunnels(onError: (error: unknown) => void): OpenTunnels {
  const open = new Map<JoinedTunnel, () => void>()
  const rechecking = setInterval(() => {
    for (const [{ isStillPermitted }, end] of open) {
      isStillPermitted?.().then((isPermitted) => isPermitted || end(), onError)
    }
  }, RECHECK_MS)
  rechecking.unref()

  return {
    get size() {
      return open.size
    },
    join(tunnel) {
      const { near, far, endsAtMs, closed } = tunnel
      const end = () => {
        near.destroy()
        far.destroy()
      }
      open.set(tunnel, end)
      const timer = endsAtMs === undefined ? undefined : endAt(endsAtMs, end)
      const over = () => {
        timer?.stop()
        end()
        if (open.delete(tunnel)) closed?.()
      }
      for (const side of [near, far]) {
        side.on('error', over)
        side.on('close', over)
      }
      near.pipe(far)
      far.pipe(near)
      // One of both may have gone while the other was being made.
      if (near.destroyed || far.destroyed) over()
    },
    endSession(sessionId) {
      for (const [tunnel, end] of open) if (tunnel.sessionId === sessionId) end()
    },
    close() {
      clearInterval(rechecking)
      for (const end of [...open.values()]) end()
    },
  }
}
