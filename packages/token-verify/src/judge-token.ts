import { type Check, failed, passed } from '@scopegate/checks'
import type { ExpectedAudience } from '@scopegate/oauth-model'
import { verifySignature } from './algorithms.ts'
import { checkAlgorithm } from './check-algorithm.ts'
import { checkKeyIssuer, checkTenant } from './check-tenant.ts'
import { checkClaims, checkType } from './check-type.ts'
import type { Issuer } from './issuer.ts'
import type { VerificationKey } from './key-source.ts'
import { OPAQUE_PASSED, passedWith } from './passed-checks.ts'
import { type ReadClaims, readClaims } from './read-claims.ts'
import { type ReadToken, readJwt } from './read-token.ts'
import { shown } from './shown.ts'

/** What does not change while a token lives: everything but times, audience, trust and revocation. */
export interface KnownToken extends ReadClaims {
  readonly issuer: Issuer
  /** What it has passed if it passes the rest. */
  readonly passed: readonly Check[]
  /** Missing: the token is opaque. */
  readonly key?: VerificationKey
  /** Epoch seconds; when the token was looked up at its issuer. */
  readonly resolvedAt?: number
}

export type Judged =
  | { readonly ok: true; readonly known: KnownToken }
  | { readonly ok: false; readonly checks: readonly Check[]; readonly read?: ReadToken }

/** What holds for a token as long as it lives. `fingerprint` names it where it must not be shown. */
export type JudgeToken = (
  text: string,
  fingerprint: string,
  expected: ExpectedAudience,
) => Promise<Judged>

/** Judges tokens that were not seen before: by signature, or by asking those who issued them. */
export function createTokenJudge(options: {
  readonly issuers: readonly Issuer[]
  /** Epoch seconds. */
  readonly now: () => number
}): JudgeToken {
  const { now } = options
  const issuers = new Map(
    options.issuers.flatMap((issuer) =>
      [issuer.issuer, ...(issuer.aliases ?? [])].map((name) => [name, issuer] as const),
    ),
  )

  async function judge(
    text: string,
    fingerprint: string,
    expected: ExpectedAudience,
  ): Promise<Judged> {
    const reading = readJwt(text)
    if (!reading.ok) {
      const isOpaque = reading.check.code === 'token_not_jwt'
      const resolved = isOpaque ? await resolve(text, fingerprint, expected) : undefined
      return resolved ?? { ok: false, checks: [reading.check] }
    }
    const read = reading.token
    const checks: Check[] = [passed('format')]
    const refuse = (check: Check): Judged => ({ ok: false, checks: [...checks, check], read })

    const issuer = findIssuer(read, expected)
    if ('outcome' in issuer) return refuse(issuer)
    const tenant = checkTenant(read.claims, issuer)
    if (tenant !== undefined) return refuse(tenant)
    checks.push(passed('issuer_known', { got: issuer.issuer }))

    const alg = checkAlgorithm(read, issuer)
    if (typeof alg !== 'string') return refuse(alg)
    checks.push(passed('algorithm', { got: alg }))

    const { kid } = read.header
    // RFC 7515 §4.1.4: it must be a text. Anything else is not a token without a `kid`.
    if (kid !== undefined && typeof kid !== 'string') {
      return refuse(
        failed('key_unknown', {
          expected: issuer.keys.description,
          got: 'a `kid` that is no text',
        }),
      )
    }
    const name = kid
    const [key, ...more] = await issuer.keys.find(alg, name)
    if (key === undefined) {
      return refuse(
        failed('key_unknown', {
          expected: issuer.keys.description,
          got: name === undefined ? 'no kid' : shown(name),
        }),
      )
    }
    if (more.length > 0) return refuse(failed('key_ambiguous', { got: shown(name ?? 'no kid') }))
    const foreign = checkKeyIssuer(key, issuer)
    if (foreign !== undefined) return refuse(foreign)
    checks.push(passed('key'))

    if (!verifySignature(alg, key.key, read.signingInput, read.signature)) {
      return refuse(failed('signature_invalid'))
    }
    checks.push(passed('signature'))

    const type = checkType(read, issuer)
    if (type.outcome === 'fail') return refuse(type)

    const resolvedAt = issuer.isAlwaysAsked === true ? now() : undefined
    if (resolvedAt !== undefined && (await issuer.resolveOpaque?.(text)) === undefined) {
      checks.push(type, passed('times'), passed('audience'), passed('binding'))
      return refuse(failed('token_revoked'))
    }
    return {
      ok: true,
      known: {
        issuer,
        key,
        passed: passedWith(issuer, alg, key),
        ...(resolvedAt === undefined ? {} : { resolvedAt }),
        ...readClaims(read.claims, issuer, fingerprint),
      },
    }
  }

  /** Asks the issuers trusted here for an opaque token; `undefined` when none of them has any. */
  async function resolve(
    text: string,
    fingerprint: string,
    expected: ExpectedAudience,
  ): Promise<Judged | undefined> {
    let isAsked = false
    for (const issuer of options.issuers) {
      if (issuer.resolveOpaque === undefined || !expected.issuers.includes(issuer.issuer)) continue
      isAsked = true
      const resolvedAt = now()
      const claims = await issuer.resolveOpaque(text)
      if (claims === undefined) continue
      const wrong = checkTenant(claims, issuer) ?? failureOf(checkClaims(claims, issuer))
      if (wrong !== undefined) return { ok: false, checks: [passed('format'), wrong] }
      return {
        ok: true,
        known: {
          issuer,
          resolvedAt,
          passed: OPAQUE_PASSED,
          ...readClaims(claims, issuer, fingerprint),
        },
      }
    }
    if (!isAsked) return undefined
    return { ok: false, checks: [passed('format'), failed('token_unknown')] }
  }

  function findIssuer(read: ReadToken, expected: ExpectedAudience): Issuer | Check {
    const name = read.claims.iss
    const trusted = expected.issuers.map(shown).join(', ')
    if (typeof name !== 'string' || name === '') {
      return failed('issuer_missing', { expected: trusted })
    }
    const issuer = issuers.get(name)
    if (issuer === undefined) {
      return failed('issuer_unknown', { expected: trusted, got: shown(name) })
    }
    return trust(issuer, expected) ?? issuer
  }

  return judge
}

/** The check, if it failed. */
export function failureOf(check: Check): Check | undefined {
  return check.outcome === 'fail' ? check : undefined
}

/** The failure of an issuer that is known and not trusted at this endpoint. */
export function trust(issuer: Issuer, expected: ExpectedAudience): Check | undefined {
  if (expected.issuers.includes(issuer.issuer)) return undefined
  return failed('issuer_not_trusted_here', {
    expected: expected.issuers.map(shown).join(', '),
    got: shown(issuer.issuer),
  })
}
