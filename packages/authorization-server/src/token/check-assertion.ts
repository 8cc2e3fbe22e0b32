import type { TokenRequestReasonCode } from '@scopegate/checks'

/** What an assertion is judged against. */
export interface AssertionExpectation {
  /** The URLs that name this server: its token endpoint, and its issuer. */
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  /** Epoch seconds. */
  readonly now: number
  readonly toleranceSeconds: number
  /** SMART does not ask for `iat`; a site may. */
  readonly requireIssuedAt: boolean
}

/** What is wrong with an assertion. Known from its text alone, so that it may be told to anybody. */
export interface AssertionProblem {
  readonly code: Extract<TokenRequestReasonCode, `assertion_${string}`>
  readonly expected: string
  readonly got: string
  readonly fix: string
}

type Json = Readonly<Record<string, unknown>>

const MAX_LIFE_SECONDS = 300
const TYPES = new Set(['jwt', 'client-authentication+jwt'])

/**
 * Judges header and claims of a client assertion: everything but the signature, the key and
 * whether it was used before.
 *
 * @see SMART 2.2, client-confidential-asymmetric; RFC 7523 §3
 */
export function checkAssertion(
  header: Json,
  claims: Json,
  expected: AssertionExpectation,
): AssertionProblem | undefined {
  const { now, toleranceSeconds } = expected
  const { alg, kid, typ } = header
  const { iss, sub, aud, exp, iat, nbf, jti } = claims

  if (typeof alg !== 'string' || !expected.algorithms.includes(alg)) {
    return {
      code: 'assertion_algorithm',
      expected: expected.algorithms.join(', '),
      got: show(alg),
      fix: 'sign with RS384 or ES384',
    }
  }
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase()))) {
    return { code: 'assertion_typ', expected: 'JWT', got: show(typ), fix: 'set `typ` to JWT' }
  }
  if (typeof kid !== 'string' || kid === '') {
    return {
      code: 'assertion_kid_missing',
      expected: 'the `kid` of a registered key in the header',
      got: show(kid),
      fix: 'set `kid` to the id of the key as it stands in the key set',
    }
  }
  if (typeof iss !== 'string' || iss !== sub) {
    return {
      code: 'assertion_subject',
      expected: '`iss` and `sub`, both the client_id',
      got: `iss ${show(iss)}, sub ${show(sub)}`,
      fix: 'set `iss` and `sub` to the client_id',
    }
  }
  const audiences = Array.isArray(aud) ? aud : [aud]
  // A list that also names others could be replayed there, or was made for them.
  if (audiences.length === 0 || !audiences.every((one) => expected.audiences.includes(one))) {
    return {
      code: 'assertion_audience',
      expected: expected.audiences[0] ?? '',
      got: show(aud),
      fix: `set \`aud\` to ${expected.audiences[0]}`,
    }
  }
  if (typeof exp !== 'number') {
    return {
      code: 'assertion_exp_missing',
      expected: 'a time at most 5 minutes ahead in `exp`',
      got: show(exp),
      fix: 'set `exp` to now + 60 s',
    }
  }
  if (exp <= now - toleranceSeconds) {
    return {
      code: 'assertion_expired',
      expected: `an \`exp\` after ${iso(now)}`,
      got: iso(exp),
      fix: 'make a new assertion for every request, and compare the clocks',
    }
  }
  if (exp > now + MAX_LIFE_SECONDS + toleranceSeconds) {
    return {
      code: 'assertion_lives_too_long',
      expected: `an \`exp\` at most ${MAX_LIFE_SECONDS} s ahead of ${iso(now)}`,
      got: iso(exp),
      fix: 'set `exp` to now + 60 s',
    }
  }
  for (const [name, value] of [
    ['iat', iat],
    ['nbf', nbf],
  ] as const) {
    if (value === undefined && !(name === 'iat' && expected.requireIssuedAt)) continue
    if (typeof value !== 'number' || value > now + toleranceSeconds) {
      return {
        code: `assertion_${name}`,
        expected: `\`${name}\` not after ${iso(now)}`,
        got: typeof value === 'number' ? iso(value) : show(value),
        fix: `set \`${name}\` to the present time in seconds, and compare the clocks`,
      }
    }
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) {
    return {
      code: 'assertion_jti',
      expected: 'a unique text of at most 256 characters in `jti`',
      got: typeof jti === 'string' ? `${jti.length} characters` : show(jti),
      fix: 'set `jti` to a new random value for every request',
    }
  }
  return undefined
}

function iso(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString()
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 119)}...` : text
}
