import type { KeyEstimate } from './request.ts'
import type { Plan } from './search-plan.ts'
import type { Condition } from './sql/ast.ts'

/**
 * Gathering costs about one step per hit; walking costs `rows of the type / hits` steps for every
 * row of the page. They meet where the square of the hits is a page times the rows of the type.
 */
const TYPICAL_PAGE = 50

export function choosePlan(type: string, condition: Condition, estimate: KeyEstimate): Plan {
  const rows = estimate.rowsOf(type)
  if (rows === undefined) return hasRareLooks(condition) ? 'collect' : 'walk'
  const hits = Math.min(rows, estimateHits(condition, rows, estimate))
  return hits * hits < TYPICAL_PAGE * rows ? 'collect' : 'walk'
}

/** Keys that are missing from the statistics are rare. */
const RARE = 50

function estimateHits(condition: Condition, rows: number, estimate: KeyEstimate): number {
  const hits = (part: Condition) => estimateHits(part, rows, estimate)
  switch (condition.kind) {
    case 'nothing':
      return 0
    case 'keys-all':
      return Math.min(...condition.keys.map((key) => estimate.rowsWith(key) ?? RARE))
    case 'keys-any':
      return sum(condition.keys.map((key) => estimate.rowsWith(key) ?? RARE))
    case 'ids':
      return condition.ids.length
    case 'and':
      return Math.min(...condition.of.map(hits))
    case 'or':
      return sum(condition.of.map(hits))
    default:
      return rows
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Without statistics: a condition on keys or ids is taken for a rare one. */
function hasRareLooks(condition: Condition): boolean {
  switch (condition.kind) {
    case 'nothing':
    case 'keys-all':
    case 'keys-any':
    case 'ids':
      return true
    case 'and':
      return condition.of.some(hasRareLooks)
    case 'or':
      return condition.of.every(hasRareLooks)
    default:
      return false
  }
}
