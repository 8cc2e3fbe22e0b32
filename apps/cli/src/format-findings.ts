import type { DoctorReport } from '@scopegate/server'
import { formatTable } from './context.ts'
import { oneLine } from './one-line.ts'

type Finding = DoctorReport['findings'][number]

const MARKS = { pass: '✓', warn: '!', fail: '✗' } as const

/** What a doctor found, as a table with what to do under each line that needs it. */
export function formatFindings({
  findings,
  outcome,
}: Pick<DoctorReport, 'findings' | 'outcome'>): string {
  const rows = findings.map(({ subject, check, outcome: how, found, code }) =>
    [`${MARKS[how]} ${how}`, subject, check, code === undefined ? found : `${found} [${code}]`].map(
      oneLine,
    ),
  )
  const table = formatTable(['', 'what', 'check', 'found'], rows).split('\n')
  const lines = findings.flatMap(({ fix }, index) => [
    table[index + 1] ?? '',
    ...(fix === undefined ? [] : [`        fix: ${oneLine(fix)}`]),
  ])
  const count = (how: Finding['outcome']) => findings.filter((each) => each.outcome === how).length
  const summary = {
    pass: 'everything is in order',
    warn: `${count('warn')} to look at`,
    fail: `${count('fail')} to repair, ${count('warn')} to look at`,
  }[outcome]
  return [table[0], ...lines, '', summary].join('\n')
}
