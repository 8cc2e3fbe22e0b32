import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  API_CATALOGUE,
  API_CHECKS,
  type ApiReasonCode,
  CALLER_DETAILS,
  CATALOGUE,
  CHECK_ORDER,
  callerView,
  completeAnyChecks,
  completeApiChecks,
  completeChecks,
  createCheckList,
  failed,
  failedApi,
  failedTokenRequest,
  findReason,
  LOGIN_CATALOGUE,
  OUTBOUND_CATALOGUE,
  operationOutcome,
  passed,
  type Reason,
  type ReasonCode,
  renderCatalogueMarkdown,
  renderText,
  TOKEN_REQUEST_CATALOGUE,
  TOKEN_REQUEST_CHECKS,
  type TokenRequestReason,
  type TokenRequestReasonCode,
  titleOf,
  wwwAuthenticate,
} from '@scopegate/checks'
import fc from 'fast-check'

const codes = Object.keys(CATALOGUE) as ReasonCode[]
const tokenCodes = Object.keys(TOKEN_REQUEST_CATALOGUE) as TokenRequestReasonCode[]
const code = fc.constantFrom(...codes)
const detail = fc.record({
  expected: fc.string({ unit: 'binary' }),
  got: fc.string({ unit: 'binary' }),
})

test('after a failure every check is skipped, and the order is always the same', () => {
  const checks = createCheckList()
    .pass('scopes')
    .fail('audience_mismatch', { expected: 'a', got: 'b' })
    .pass('token_present')
    .complete()
  assert.deepEqual(
    checks.map(({ name }) => name),
    CHECK_ORDER,
  )
  assert.equal(checks.find(({ name }) => name === 'token_present')?.outcome, 'pass')
  assert.equal(checks.find(({ name }) => name === 'audience')?.code, 'audience_mismatch')
  assert.equal(checks.find(({ name }) => name === 'scopes')?.outcome, 'skipped')
})

test('a password has its place in the order, and only where one was checked', () => {
  const names = completeChecks([passed('token_present'), passed('password')]).map(
    ({ name }) => name,
  )
  assert.deepEqual(
    names.filter((name) => name !== 'password'),
    CHECK_ORDER,
  )
  assert.equal(names[names.indexOf('scopes') - 1], 'password')
  const failure = failed('password_wrong')
  assert.equal(
    completeAnyChecks([failure]).find(({ outcome }) => outcome === 'fail'),
    failure,
  )
})

test('a failure is not undone by a later pass of the same check', () => {
  const checks = completeChecks([failed('key_unknown'), passed('key')])
  assert.equal(checks.find(({ name }) => name === 'key')?.outcome, 'fail')
})

test('a step of a list leaves the list before it as it was', () => {
  const before = createCheckList().pass('token_present')
  before.fail('token_expired')
  assert.equal(before.failure, undefined)
})

test('completing is idempotent', () => {
  fc.assert(
    fc.property(fc.array(code), (failures) => {
      const once = completeChecks(failures.map((each) => failed(each)))
      assert.deepEqual(completeChecks(once), once)
    }),
  )
})

test('every reason is filled in completely and follows the rules of its status', () => {
  for (const [name, reason] of Object.entries<Reason>(CATALOGUE)) {
    assert.match(name, /^[a-z][a-z_]*$/)
    for (const text of [reason.title, reason.meaning, reason.callerText, reason.fix])
      assert.ok(text.length > 3, name)
    assert.doesNotMatch(reason.callerText, /\.$|\n/, name)
    if (reason.audience === 'operator') {
      assert.equal(reason.status, 404, name)
      assert.equal(reason.oauthError, undefined, name)
    }
    if (reason.oauthError === 'insufficient_scope') assert.equal(reason.status, 403, name)
    if (reason.oauthError === 'invalid_token') assert.equal(reason.status, 401, name)
  }
})

test('an inherited name is not a reason', () => {
  assert.equal(findReason('constructor'), undefined)
  assert.equal(findReason('__proto__'), undefined)
})

test('a reason for the operator looks to the caller like an instance that was never there', () => {
  const operatorCodes = codes.filter((each) => CATALOGUE[each].audience === 'operator')
  const absent = operationOutcome(createCheckList().fail('instance_absent').complete())
  fc.assert(
    fc.property(fc.constantFrom(...operatorCodes), detail, (hidden, values) => {
      const checks = createCheckList().fail(hidden, values).complete()
      assert.deepEqual(operationOutcome(checks), absent)
      assert.equal(wwwAuthenticate(checks, { realm: 'fhir' }), undefined)
    }),
  )
})

test('a failure without a row of the catalogue is refused without saying more', () => {
  const view = callerView([{ name: 'key', outcome: 'fail', code: 'nobody_knows', got: 'x' }])
  assert.deepEqual(view, {
    status: 403,
    text: 'not permitted',
    issue: 'forbidden',
    challenged: false,
  })
})

test('the outcome names reason, fix and correlation id', () => {
  const checks = createCheckList()
    .fail('audience_mismatch', { expected: 'https://a.example/fhir/r4', got: 'https://b.example' })
    .complete()
  const outcome = operationOutcome(checks, { correlationId: 'c-1' })
  assert.equal(outcome.issue[0]?.code, 'login')
  assert.equal(outcome.issue[0]?.details.coding?.[0]?.code, 'audience_mismatch')
  assert.match(outcome.issue[0]!.details.text, /https:\/\/b\.example.*https:\/\/a\.example/)
  assert.match(outcome.issue[0]!.diagnostics!, /to do: .*correlation id c-1$/)
})

test('without a token the challenge is bare', () => {
  const checks = createCheckList().fail('token_missing').complete()
  assert.equal(wwwAuthenticate(checks, { realm: 'fhir' }), 'Bearer realm="fhir"')
})

test('an insufficient scope names the scope that would do', () => {
  const checks = createCheckList()
    .fail('permission_missing', { expected: 'Observation.s', got: 'Observation.r' })
    .complete()
  assert.equal(
    wwwAuthenticate(checks, { realm: 'fhir', scope: 'patient/Observation.s' }),
    'Bearer realm="fhir", error="insufficient_scope", ' +
      'error_description="the scopes do not permit this: needed Observation.s, granted Observation.r", scope="patient/Observation.s"',
  )
})

test('no value can end a challenge or add a parameter to it', () => {
  const parameter = String.raw`[a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"`
  const whole = new RegExp(`^Bearer ${parameter}(, ${parameter})*$`)
  fc.assert(
    fc.property(code, detail, fc.string({ unit: 'binary' }), (each, values, realm) => {
      const checks = createCheckList().fail(each, values).complete()
      const challenge = wwwAuthenticate(checks, { realm, scope: realm })
      if (challenge !== undefined) {
        assert.match(challenge, whole)
        assert.ok(new Headers({ 'www-authenticate': challenge }))
      }
    }),
  )
})

test('the text for the operator has a line per check, and no value draws lines of its own', () => {
  fc.assert(
    fc.property(code, detail, (each, values) => {
      const checks = createCheckList().fail(each, values).complete()
      const lines = renderText(checks).split(/\r\n|[\n\r\u2028\u2029]/)
      assert.equal(lines.filter((line) => /^[✓✗–] /.test(line)).length, checks.length)
      assert.equal(lines.length, checks.length + 2)
    }),
  )
})

test('a template is filled once: braces in a value stay', () => {
  const checks = createCheckList()
    .fail('audience_mismatch', { expected: '{got}', got: '{expected}' })
    .complete()
  assert.match(callerView(checks)!.text, /token is \{expected\}; expected \{got\}/)
})

test('the document of errors holds every code once', () => {
  const [requests = '', apis = '', outbound = '', tokens = '', logins = ''] =
    renderCatalogueMarkdown().split(
      /\n## (?:Ordinary APIs|Forward sidecar|Token requests|Sign-in elsewhere)\n/,
    )
  const codesIn = (text: string, level: string) =>
    [...text.matchAll(new RegExp(`^${level} (\\S+)$`, 'gm'))].map(([, name]) => name).sort()
  assert.deepEqual(codesIn(requests, '###'), [...codes].sort())
  assert.deepEqual(codesIn(apis, '####'), Object.keys(API_CATALOGUE).sort())
  assert.deepEqual(codesIn(outbound, '####'), Object.keys(OUTBOUND_CATALOGUE).sort())
  assert.deepEqual(codesIn(tokens, '####'), [...tokenCodes].sort())
  assert.deepEqual(codesIn(logins, '####'), Object.keys(LOGIN_CATALOGUE).sort())
})

test('token requests have checks and reasons of their own: no name or code means two things', () => {
  const names = new Set<string>([...CHECK_ORDER, ...TOKEN_REQUEST_CHECKS])
  assert.equal(names.size, CHECK_ORDER.length + TOKEN_REQUEST_CHECKS.length)
  assert.equal(new Set<string>([...codes, ...tokenCodes]).size, codes.length + tokenCodes.length)
  for (const [name, reason] of Object.entries<TokenRequestReason>(TOKEN_REQUEST_CATALOGUE)) {
    assert.match(name, /^[a-z][a-z_]*$/)
    for (const text of [reason.title, reason.meaning, reason.fix]) assert.ok(text.length > 3, name)
    assert.equal(reason.status === undefined, reason.error === undefined, name)
    if (reason.error === 'invalid_client') assert.equal(reason.status, 401, name)
    // Read as the failure of any other client, or not at all.
    const isHidden = reason.error === 'invalid_client' || reason.error === undefined
    if (reason.audience === 'operator') assert.ok(isHidden, name)
  }
})

test('a request to an ordinary API has the checks of its token and its own, and codes of its own', () => {
  for (const [name, reason] of Object.entries(API_CATALOGUE)) {
    assert.ok(
      !codes.includes(name as ReasonCode) && !tokenCodes.some((each) => each === name),
      name,
    )
    const failure = failedApi(name as ApiReasonCode, { expected: 'a', got: 'b' })
    const checks = completeApiChecks([passed('format'), failure])
    assert.deepEqual(
      checks.map((check) => check.name),
      API_CHECKS,
    )
    assert.deepEqual(completeAnyChecks(checks), checks)
    const view = callerView(checks)
    assert.equal(view?.status, reason.status)
    assert.ok(view?.text && !view.text.includes('{'))
  }
})

test('a refused token request reads like any other: its own checks in order, reason and fix', () => {
  fc.assert(
    fc.property(fc.constantFrom(...tokenCodes), detail, (each, values) => {
      const checks = failedTokenRequest(each, values)
      assert.deepEqual(
        checks.map(({ name }) => name),
        TOKEN_REQUEST_CHECKS,
      )
      const at = checks.findIndex(({ outcome }) => outcome === 'fail')
      assert.ok(checks.slice(0, at).every(({ outcome }) => outcome === 'pass'))
      assert.ok(checks.slice(at + 1).every(({ outcome }) => outcome === 'skipped'))
      const lines = renderText(checks).split(/\r\n|[\n\r\u2028\u2029]/)
      assert.equal(lines.length, TOKEN_REQUEST_CHECKS.length + 2)
      assert.ok(lines.some((line) => line.trim() === `${titleOf(each)} (${each})`))
    }),
  )
})

test('law: how much the caller reads never depends on what it may not know, and minimal tells no value', () => {
  const hidden = codes.filter((code) => CATALOGUE[code].audience === 'operator')
  const secret = { expected: 'sECRET-1', got: 'sECRET-2' }
  for (const callers of CALLER_DETAILS) {
    const views = hidden.map((code) => {
      const made = [passed('compartment', secret), failed(code, secret)]
      return JSON.stringify([callerView(made, callers), operationOutcome(made, { callers })])
    })
    assert.equal(new Set(views).size, 1, 'every reason of the operator gives the same answer')
    assert.doesNotMatch(views.join(), /sECRET/)
  }
  for (const code of codes) {
    const made = [passed('issuer_known', { got: 'https://idp.example' }), failed(code, secret)]
    const minimal = JSON.stringify([
      operationOutcome(made, { callers: 'minimal', correlationId: 'id-1' }),
      wwwAuthenticate(made, { realm: 'r', scope: 'sECRET-3', callers: 'minimal' }) ?? '',
    ])
    assert.doesNotMatch(minimal, /sECRET|idp\.example|error_description/)
    assert.match(minimal, /id-1/)
    assert.equal(minimal.includes(code), CATALOGUE[code].audience === 'caller')
  }
})

test('verbose adds what was compared before any data was looked at', () => {
  const made = [
    passed('issuer_known', { got: 'https://idp.example' }),
    passed('compartment', { got: 'Patient/p1' }),
    failed('body_outside_constraint', { expected: 'a category', got: 'vital-signs' }),
  ]
  const of = (callers: 'standard' | 'verbose') => operationOutcome(made, { callers }).issue[0]
  assert.match(
    of('verbose')?.diagnostics ?? '',
    /checked: issuer_known pass \(got https:\/\/idp\.example\)$/,
  )
  assert.doesNotMatch(of('verbose')?.diagnostics ?? '', /p1|vital-signs/)
  assert.doesNotMatch(of('standard')?.diagnostics ?? '', /checked/)
  const audience = failed('audience_mismatch', { expected: 'here', got: 'there' })
  assert.match(
    operationOutcome([audience], { callers: 'verbose' }).issue[0]?.diagnostics ?? '',
    /checked: audience fail \(expected here, got there\)/,
  )
})
