import type { Storage } from '@scopegate/storage'
import { ENDED_CHANNEL } from './web-session-store.ts'

export interface EndedSessions {
  /** @returns what stops the telling */
  listen(listener: (sessionId: string) => void): () => void
  /** A session ended in this process. */
  tell(sessionId: string): void
  close(): void
}

const RECONNECT_MS = 1000

/**
 * Who wants to know of sessions that end hears of them at once, whichever process ended them. While
 * the database cannot be reached nothing is heard; whoever holds something open asks `isAlive` too.
 */
export function createEndedSessions(
  pool: Storage['pool'],
  onError: (error: unknown) => void,
): EndedSessions {
  const listeners = new Set<(sessionId: string) => void>()
  let release: (() => void) | undefined
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function tell(sessionId: string): void {
    for (const listener of listeners) {
      try {
        listener(sessionId)
      } catch (error) {
        onError(error)
      }
    }
  }

  async function connect(): Promise<void> {
    const client = await pool.connect()
    let isReleased = false
    const drop = () => {
      if (isReleased) return
      isReleased = true
      release = undefined
      client.removeAllListeners('notification')
      // It still listens: not for others.
      client.release(true)
    }
    if (isClosed) return drop()
    release = drop
    const lost = () => {
      drop()
      again()
    }
    client.once('error', lost)
    client.once('end', lost)
    client.on('notification', ({ payload }) => payload !== undefined && tell(payload))
    try {
      await client.query(`LISTEN ${ENDED_CHANNEL}`)
    } catch (error) {
      drop()
      throw error
    }
  }

  function again(): void {
    if (isClosed || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      connect().catch((error: unknown) => {
        onError(error)
        again()
      })
    }, RECONNECT_MS)
    timer.unref()
  }

  connect().catch((error: unknown) => {
    onError(error)
    again()
  })

  return {
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell,
    close() {
      isClosed = true
      clearTimeout(timer)
      release?.()
    },
  }
}
