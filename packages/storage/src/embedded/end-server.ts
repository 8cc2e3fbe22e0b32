import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../storage-error.ts'
import type { DataLayout } from './data-layout.ts'
import {
  clusterProcesses,
  isAlive,
  POSTMASTER_FILE,
  readPostmasterFile,
  servesCluster,
} from './postmaster-file.ts'

/**
 * Ends what still runs on the cluster though nobody holds the lock: its watcher was killed. Removes
 * the marks of a server that is known to be gone, which PostgreSQL itself would believe when another
 * process, or one that nobody has reaped, has the same id.
 */
export async function endLeftover({ root, cluster }: DataLayout): Promise<void> {
  const file = readPostmasterFile(cluster)
  if (!file) return
  const serves = servesCluster(file.pid, cluster)
  if (serves === undefined) return
  if (serves) await stopServer(file.pid)
  await endBackends(cluster)
  rmSync(join(cluster, POSTMASTER_FILE), { force: true })
  for (const name of readdirSync(root)) {
    if (name.startsWith('.s.PGSQL.')) rmSync(join(root, name), { force: true })
  }
}

/** Backends end by themselves when their server is gone; one that is busy gets a second for it. */
async function endBackends(cluster: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += 20) {
    const left = clusterProcesses(cluster)
    if (left.length === 0) return
    if (waitedMs > 10_000) {
      throw new StorageError(
        'start-failed',
        `cannot end the PostgreSQL processes ${left.join(', ')}`,
      )
    }
    if (waitedMs === 1000) {
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It ended in between.
        }
      }
    }
    await sleep(20)
  }
}

/** Fast shutdown, then immediate, then kill. Resolves when the process is gone. */
export async function stopServer(pid: number, fastMs = 8000): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGINT', fastMs],
    ['SIGQUIT', 5000],
    ['SIGKILL', 5000],
  ] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
      throw error
    }
    const until = Date.now() + waitMs
    while (Date.now() < until) {
      if (!isAlive(pid)) return
      await sleep(10)
    }
  }
  throw new StorageError('start-failed', `cannot end the PostgreSQL process ${pid}`)
}
