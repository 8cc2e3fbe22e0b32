import { statfs } from 'node:fs/promises'
import pg from 'pg'
import type { Connection } from '../create-pool.ts'

export interface DiskEvent {
  readonly event: 'disk-low' | 'disk-ok'
  readonly message: string
}

const RESERVE_BYTES = 256 * 1024 * 1024
const INTERVAL_MS = 500

/** How much stays free: 256 MB, on a small disk a fifth. */
export function reserveBytes(totalBytes: number): number {
  return Math.min(RESERVE_BYTES, totalBytes / 5)
}

/**
 * Keeps the last of the disk for PostgreSQL itself. Without room for its log it stops altogether,
 * reads included; so while little is left new transactions are read-only by default, and writes fail
 * as `read-only`. Looks twice a second, the first time before it resolves.
 */
export async function guardDisk(
  folder: string,
  connection: Connection,
  tell: (event: DiskEvent) => void,
): Promise<{ stop(): void }> {
  let low: boolean | undefined
  const look = async (): Promise<void> => {
    const { bavail, bsize, blocks } = await statfs(folder)
    const free = bavail * bsize
    const reserve = reserveBytes(blocks * bsize)
    // Back to normal only well above, or it would flicker.
    const nowLow = free < (low ? reserve * 1.25 : reserve)
    if (nowLow === low) return
    await setReadOnly(connection, nowLow)
    const megabytes = Math.floor(free / 1024 / 1024)
    if (nowLow) {
      tell({ event: 'disk-low', message: `${megabytes} MB free: writes are refused, reads go on` })
    } else if (low) {
      tell({ event: 'disk-ok', message: `${megabytes} MB free: writes are taken again` })
    }
    low = nowLow
  }
  await look()
  let looking = false
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    // When the database is away the next look tries again.
    look()
      .catch(() => {})
      .finally(() => {
        looking = false
      })
  }, INTERVAL_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

async function setReadOnly(connection: Connection, on: boolean): Promise<void> {
  const client = new pg.Client(connection)
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(
      on
        ? 'ALTER SYSTEM SET default_transaction_read_only = on'
        : 'ALTER SYSTEM RESET default_transaction_read_only',
    )
    await client.query('SELECT pg_reload_conf()')
  } finally {
    await client.end().catch(() => {})
  }
}
