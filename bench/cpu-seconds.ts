import { readFile } from 'node:fs/promises'

const TICKS_PER_SECOND = 100

/**
 * CPU time of a process and of its children, user and system. Linux only.
 *
 * @param named Of which names; those that run Node by default.
 */
export async function cpuSeconds(pid: number, named = /^(node|MainThread)/): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const ticks = await Promise.all(
    [pid, ...children.split(' ').filter(Boolean).map(Number)].map(async (each) => {
      const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '')
      // The name stands in parentheses and may hold spaces; utime and stime are fields 14 and 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
      return named.test(name) ? Number(fields[11]) + Number(fields[12]) : 0
    }),
  )
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND
}
