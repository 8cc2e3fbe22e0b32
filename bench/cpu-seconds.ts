import { readFile } from 'node:fs/promises'

const TICKS_PER_SECOND = 100

/** CPU time of a process and of its children that run Node, user and system. Linux only. */
export async function cpuSeconds(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const ticks = await Promise.all(
    [pid, ...children.split(' ').filter(Boolean).map(Number)].map(async (each) => {
      const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '')
      // The name stands in parentheses and may hold spaces; utime and stime are fields 14 and 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return /\((node|MainThread)/.test(stat) ? Number(fields[11]) + Number(fields[12]) : 0
    }),
  )
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND
}
