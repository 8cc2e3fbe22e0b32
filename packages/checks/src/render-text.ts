import type { AnyCheck } from './check.ts'
import { completeAnyChecks } from './check-list.ts'
import { titleOf } from './title-of.ts'

const MARKS = { pass: '✓', fail: '✗', skipped: '–' } as const

/**
 * The checks as the operator reads them: one line each, and under a failed one what it means and
 * what to do. Holds operator-only reasons; never send it to a caller.
 */
export function renderText(checks: readonly AnyCheck[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length), 0)
  return completeAnyChecks(checks)
    .flatMap((check) => {
      const compared = [
        check.expected !== undefined && `expected ${oneLine(check.expected)}`,
        check.got !== undefined && `got ${oneLine(check.got)}`,
      ].filter((part) => part !== false)
      const line = `${MARKS[check.outcome]} ${check.name.padEnd(width)}  ${compared.join(' · ')}`
      if (check.outcome !== 'fail') return [line.trimEnd()]
      const title = titleOf(check.code)
      const indent = ' '.repeat(width + 4)
      return [
        line.trimEnd(),
        ...(title ? [`${indent}${title} (${check.code})`] : []),
        ...(check.fix ? [`${indent}fix: ${oneLine(check.fix)}`] : []),
      ]
    })
    .join('\n')
}

// What came in must not be able to draw lines of its own, or move the cursor of a terminal.
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
}
