/**
 * Preloaded into every test file by `tools/test.ts`: a file that is still there after its time (tests
 * have time-outs of their own, but a process that one of them left behind keeps the file alive) tells
 * what keeps it, ends the processes that it started, and fails.
 */
import { spawnSync } from 'node:child_process'
import { isMainThread } from 'node:worker_threads'

const limitMs = Number(process.env.SCOPEGATE_TEST_FILE_LIMIT_MS ?? 0)
if (isMainThread && limitMs > 0 && process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(endLate, limitMs).unref()
}

function endLate(): void {
  const kept = process.getActiveResourcesInfo().join(', ')
  console.error(`still there after ${limitMs / 1000} s, kept by: ${kept}`)
  for (const pid of descendants()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  process.exit(1)
}

/** Processes that end with this one; the PostgreSQL that all files share is detached. */
function descendants(): readonly number[] {
  if (process.platform === 'win32') return []
  const { stdout } = spawnSync('ps', ['-Ao', 'pid=,ppid=,pgid='], { encoding: 'utf8' })
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const group = all.find(([pid]) => pid === process.pid)?.[2]
  const found = new Set([process.pid])
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const [pid = 0, parent = 0, pgid] of all) {
      if (found.has(parent) && pgid === group) found.add(pid)
    }
  }
  found.delete(process.pid)
  return [...found]
}
