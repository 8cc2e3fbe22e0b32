import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/** What a running server writes about itself. @see PostgreSQL src/include/utils/pidfile.h */
export interface PostmasterFile {
  readonly pid: number
  readonly ready: boolean
}

export const POSTMASTER_FILE = 'postmaster.pid'

/** Reads `postmaster.pid`; `undefined` when there is none or it is not written yet. */
export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  let lines: string[]
  try {
    lines = readFileSync(join(cluster, POSTMASTER_FILE), 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10))
  if (!Number.isSafeInteger(pid) || pid === 0) return undefined
  return { pid, ready: lines[7]?.trim() === 'ready' }
}

/** Whether a process with this id exists, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return !isZombie(pid)
}

/** A killed process whose parent has not looked yet; it holds nothing any more. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/**
 * Whether process `pid` is the server of this cluster; `undefined` when that cannot be known here.
 * A process id alone proves nothing: after a reboot it may belong to anybody.
 */
export function servesCluster(pid: number, cluster: string): boolean | undefined {
  if (!isAlive(pid)) return false
  if (process.platform === 'linux') {
    try {
      // A postmaster changes into its data directory and stays there.
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
    } catch {
      return undefined
    }
  }
  if (process.platform === 'win32') return undefined
  const ps = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
  if (ps.status !== 0) return undefined
  return ps.stdout.includes('postgres') && ps.stdout.includes(cluster)
}

/**
 * Every living PostgreSQL process, also a backend, of this cluster. Only Linux can say; elsewhere
 * none are found, and PostgreSQL's own check of its shared memory has to do.
 */
export function clusterProcesses(cluster: string): readonly number[] {
  if (process.platform !== 'linux') return []
  if (!existsSync(cluster)) return []
  const path = realpathSync(cluster)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(`/proc/${name}/cwd`) === path
      } catch {
        return false
      }
    })
    .map(Number)
}
