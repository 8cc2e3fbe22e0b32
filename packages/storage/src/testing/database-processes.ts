import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dataLayout, readOwner } from '../embedded/data-layout.ts'
import { clusterProcesses, readPostmasterFile } from '../embedded/postmaster-file.ts'

/** Who runs the embedded database of a data directory, as its files say. For tests of crashes. */
export interface DatabasePids {
  /** The process that opened the storage. */
  readonly owner: number | undefined
  readonly watcher: number | undefined
  readonly postgres: number | undefined
}

/** Reads which processes hold the data directory now; they may be dead already. */
export function databasePids(dir: string): DatabasePids {
  const layout = dataLayout(resolve(dir))
  const owner = readOwner(layout)
  return {
    owner: owner?.pid,
    watcher: owner?.watcherPid,
    postgres: readPostmasterFile(layout.cluster)?.pid,
  }
}

/** Every living PostgreSQL process, also a backend, that works in this data directory. */
export function databaseProcesses(dir: string): readonly number[] {
  const { cluster } = dataLayout(resolve(dir))
  if (process.platform === 'linux') return clusterProcesses(cluster)
  const { stdout } = spawnSync('ps', ['-Ao', 'pid=,command='], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter((line) => line.includes(cluster) && line.includes('postgres'))
    .map((line) => Number.parseInt(line, 10))
}

/** Resolves when no process works in the data directory any more; throws when some stay. */
export async function databaseProcessesGone(dir: string, timeoutMs = 15_000): Promise<void> {
  const until = Date.now() + timeoutMs
  while (databaseProcesses(dir).length > 0) {
    if (Date.now() > until) {
      throw new Error(`PostgreSQL still runs in ${dir}: processes ${databaseProcesses(dir)}`)
    }
    await sleep(20)
  }
}
