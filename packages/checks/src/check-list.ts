import { API_CATALOGUE, type ApiReasonCode } from './api-catalogue.ts'
import { CATALOGUE, type ReasonCode } from './catalogue.ts'
import {
  type AnyCheck,
  API_CHECKS,
  type ApiCheck,
  CHECK_ORDER,
  type Check,
  type CheckName,
  LOGIN_CHECKS,
  OUTBOUND_CHECKS,
  type OutboundCheck,
  PASSWORD_CHECK_ORDER,
  TOKEN_REQUEST_CHECKS,
  type TokenRequestCheck,
} from './check.ts'
import { fillTemplate } from './fill-template.ts'
import { OUTBOUND_CATALOGUE, type OutboundReasonCode } from './outbound-catalogue.ts'
import { TOKEN_REQUEST_CATALOGUE, type TokenRequestReasonCode } from './token-request-catalogue.ts'

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
  return failure(CATALOGUE[code], code, detail)
}

/**
 * The checks of a token request that failed for the catalogue's reason `code`: those before it have
 * passed, those after it were not made.
 */
export function failedTokenRequest(
  code: TokenRequestReasonCode,
  detail: CheckDetail = {},
): readonly TokenRequestCheck[] {
  const failing = failure(TOKEN_REQUEST_CATALOGUE[code], code, detail)
  const at = TOKEN_REQUEST_CHECKS.indexOf(failing.name)
  return TOKEN_REQUEST_CHECKS.map((name, index) =>
    index === at ? failing : { name, outcome: index < at ? 'pass' : 'skipped' },
  )
}

/** A check of a request to an ordinary API that failed for the reason `code`. */
export function failedApi(code: ApiReasonCode, detail: CheckDetail = {}): ApiCheck {
  return failure(API_CATALOGUE[code], code, detail)
}

/** A check of a request to the forward sidecar that failed for the reason `code`. */
export function failedOutbound(code: OutboundReasonCode, detail: CheckDetail = {}): OutboundCheck {
  return failure(OUTBOUND_CATALOGUE[code], code, detail)
}

function failure<Name extends string>(
  { check, fix }: { readonly check: Name; readonly fix: string },
  code: string,
  detail: CheckDetail,
): Check<Name> {
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
  return complete<CheckName>(orderOf(made), made)
}

/** The same for a request to an ordinary API. */
export function completeApiChecks(made: readonly AnyCheck[]): readonly ApiCheck[] {
  return complete<AnyCheck['name']>(API_CHECKS, made) as readonly ApiCheck[]
}

/** The same for a request to the forward sidecar. */
export function completeOutboundChecks(made: readonly AnyCheck[]): readonly OutboundCheck[] {
  return complete<AnyCheck['name']>(OUTBOUND_CHECKS, made) as readonly OutboundCheck[]
}

/** The same for a list of any kind, which its names tell. */
export function completeAnyChecks(made: readonly AnyCheck[]): readonly AnyCheck[] {
  const isMade = (names: readonly AnyCheck['name'][]) =>
    made.some(({ name }) => names.includes(name))
  const order = isMade(['place', 'caller'])
    ? OUTBOUND_CHECKS
    : isMade(API_ONLY)
      ? API_CHECKS
      : [TOKEN_REQUEST_CHECKS, LOGIN_CHECKS].find(isMade)
  return complete<AnyCheck['name']>(order ?? orderOf(made), made)
}

/** Names that are in no other list come first: they tell the kind. */
const API_ONLY = API_CHECKS.filter(
  (name) => !(PASSWORD_CHECK_ORDER as readonly string[]).includes(name),
)

function orderOf(made: readonly AnyCheck[]): readonly CheckName[] {
  return made.some(({ name }) => name === 'password') ? PASSWORD_CHECK_ORDER : CHECK_ORDER
}

function complete<Name extends string>(
  order: readonly Name[],
  made: readonly Check<Name>[],
): readonly Check<Name>[] {
  let stopped = false
  return order.map((name): Check<Name> => {
    const mine = made.filter((check) => check.name === name)
    const check = mine.find(({ outcome }) => outcome === 'fail') ?? mine.at(-1)
    if (stopped || check === undefined) return { name, outcome: 'skipped' }
    stopped = check.outcome === 'fail'
    return check
  })
}

/** The first failure in the order of the checks; `undefined` when all that were made passed. */
export function findFailure<Made extends AnyCheck = Check>(
  checks: readonly Made[],
): Made | undefined {
  return (completeAnyChecks(checks) as readonly Made[]).find(({ outcome }) => outcome === 'fail')
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
