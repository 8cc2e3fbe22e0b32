import { CATALOGUE, type ReasonCode } from './catalogue.ts'
import { CHECK_ORDER, type Check, type CheckName } from './check.ts'
import { fillTemplate } from './fill-template.ts'

/** What a check compared. Plain text, without tokens, secrets or patient data. */
export interface CheckDetail {
  readonly expected?: string
  readonly got?: string
  /** Replaces the fix of the catalogue where a more exact one is known. */
  readonly fix?: string
}

/** A check that was made and passed. */
export function passed(name: CheckName, detail: CheckDetail = {}): Check {
  return { name, outcome: 'pass', ...detail }
}

/** A check that failed for the catalogue's reason `code`; the fix comes from there. */
export function failed(code: ReasonCode, detail: CheckDetail = {}): Check {
  const { check, fix } = CATALOGUE[code]
  return {
    name: check,
    outcome: 'fail',
    code,
    ...detail,
    fix: detail.fix ?? fillTemplate(fix, detail),
  }
}

/**
 * The checks of one request, complete and in order: what was not made is `skipped`, and so is
 * everything after the first failure. Several entries for one check: a failure wins, else the last.
 */
export function completeChecks(made: readonly Check[]): readonly Check[] {
  let stopped = false
  return CHECK_ORDER.map((name): Check => {
    const mine = made.filter((check) => check.name === name)
    const check = mine.find(({ outcome }) => outcome === 'fail') ?? mine.at(-1)
    if (stopped || check === undefined) return { name, outcome: 'skipped' }
    stopped = check.outcome === 'fail'
    return check
  })
}

/** The first failure in the order of the checks; `undefined` when all that were made passed. */
export function findFailure(checks: readonly Check[]): Check | undefined {
  return completeChecks(checks).find(({ outcome }) => outcome === 'fail')
}

/** Collects the checks of one request. A value: every step gives a new list. */
export interface CheckList {
  readonly failure: Check | undefined
  pass(name: CheckName, detail?: CheckDetail): CheckList
  fail(code: ReasonCode, detail?: CheckDetail): CheckList
  add(checks: readonly Check[]): CheckList
  /** All checks in their order, what was not made as `skipped`. */
  complete(): readonly Check[]
}

/** An empty list, or one that goes on from `made`. */
export function createCheckList(made: readonly Check[] = []): CheckList {
  return Object.freeze({
    failure: findFailure(made),
    pass: (name: CheckName, detail?: CheckDetail) =>
      createCheckList([...made, passed(name, detail)]),
    fail: (code: ReasonCode, detail?: CheckDetail) =>
      createCheckList([...made, failed(code, detail)]),
    add: (checks: readonly Check[]) => createCheckList([...made, ...checks]),
    complete: () => completeChecks(made),
  })
}
