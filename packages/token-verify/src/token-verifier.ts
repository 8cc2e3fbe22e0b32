import { hash } from 'node:crypto'
import { type Check, failed, passed } from '@scopegate/checks'
import type {
  ExpectedAudience,
  Presentation,
  PresentedRequest,
  TokenVerdict,
  TokenVerifier,
  VerifiedToken,
} from '@scopegate/oauth-model'
import { LRUCache } from 'lru-cache'
import { SIGNATURE_ALGORITHMS, verifySignature } from './algorithms.ts'
import { checkAlgorithm } from './check-algorithm.ts'
import { checkAudience } from './check-audience.ts'
import { createProofChecker, type DpopOptions, type ProofVerdict } from './check-proof.ts'
import { checkKeyIssuer, checkTenant } from './check-tenant.ts'
import { checkTimes } from './check-times.ts'
import { checkClaims, checkType } from './check-type.ts'
import type { Issuer } from './issuer.ts'
import type { VerificationKey } from './key-source.ts'
import { OPAQUE_PASSED, passedWith } from './passed-checks.ts'
import { claimedBy, type ReadClaims, readClaims } from './read-claims.ts'
import { type ReadToken, readCredential, readJwt, type TokenScheme } from './read-token.ts'
import { shown } from './shown.ts'

export interface TokenVerifierOptions {
  readonly issuers: readonly Issuer[]
  readonly clockToleranceSeconds: number
  /** Epoch seconds. */
  readonly now: () => number
  /**
   * Whether a token whose signature is good was revoked before it expired. Asked at every call: it
   * should answer from memory. An error it throws is thrown on.
   */
  readonly isRevoked?: (token: VerifiedToken) => boolean | Promise<boolean>
  /** How many verified tokens are remembered; the least recently used are forgotten. */
  readonly cacheEntries?: number
  /** What they may take together, estimated from their lengths. Default: 64 MiB. */
  readonly cacheBytes?: number
  /** Accept tokens bound to a key by DPoP; without it they are refused. */
  readonly dpop?: DpopOptions
}

/** What does not change while a token lives: everything but times, audience, trust and revocation. */
interface KnownToken extends ReadClaims {
  readonly issuer: Issuer
  /** What it has passed if it passes the rest. */
  readonly passed: readonly Check[]
  /** Missing: the token is opaque. */
  readonly key?: VerificationKey
  /** Epoch seconds; when the token was looked up at its issuer. */
  readonly resolvedAt?: number
}

/** How a known token was sent this time. */
interface Sent {
  readonly scheme: TokenScheme
  readonly tokenHash: string
  readonly request: PresentedRequest | undefined
  readonly certificate: string | undefined
  readonly isInspected: boolean
}

type Judged =
  | { readonly ok: true; readonly known: KnownToken }
  | { readonly ok: false; readonly checks: readonly Check[]; readonly read?: ReadToken }

/** What is remembered of a token: an entry, and its claims as objects. Measured, and rounded up. */
const ENTRY_BYTES = 1024
const BYTES_PER_CHARACTER = 4

/** How long the word of an issuer on an opaque token is taken: how late its end may be noticed. */
const OPAQUE_SECONDS = 5

/**
 * Verifies access tokens of known issuers. Signatures are checked once per token; the times, the
 * audience and the trust of the endpoint are checked at every call.
 *
 * `verify` throws `KeysUnavailable` when a key set could not be had: an outage is never the fault
 * of the token. It does not look at scopes.
 *
 * @see RFC 9068 §4; RFC 8725; RFC 9449 §7
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { now, clockToleranceSeconds, isRevoked } = options
  const issuers = new Map(
    options.issuers.flatMap((issuer) =>
      [issuer.issuer, ...(issuer.aliases ?? [])].map((name) => [name, issuer] as const),
    ),
  )
  const cache = new LRUCache<string, KnownToken>({
    max: options.cacheEntries ?? 10_000,
    maxSize: options.cacheBytes ?? 64 * 1024 * 1024,
  })
  const checkProof = options.dpop && createProofChecker(options.dpop, now)

  async function verify(
    authorization: string | undefined,
    expected: ExpectedAudience,
    presentation: Presentation = {},
  ): Promise<TokenVerdict> {
    const sent = readCredential(authorization, {
      repeated: presentation.authorizationRepeated ?? false,
      inParameters: presentation.tokenInParameters ?? false,
      dpop: checkProof !== undefined,
    })
    if (!sent.ok) return { ok: false, checks: sent.checks }

    const tokenHash = hash('sha256', sent.text, 'base64url')
    let known = cache.get(tokenHash)
    if (known !== undefined && !isStillGood(known)) {
      cache.delete(tokenHash)
      known = undefined
    }
    if (known === undefined) {
      const fingerprint = fingerprintOf(tokenHash)
      const judged = await judge(sent.text, fingerprint, expected)
      if (!judged.ok) {
        return {
          ok: false,
          checks: [...sent.checks, ...judged.checks],
          claimed: { ...claimedBy(judged.read), fingerprint },
        }
      }
      known = judged.known
      // Nothing that has expired by now is worth remembering.
      if (known.token.expiresAt > now()) {
        cache.set(tokenHash, known, { size: ENTRY_BYTES + sent.text.length * BYTES_PER_CHARACTER })
      }
    }
    return conclude(known, expected, {
      scheme: sent.scheme,
      tokenHash,
      request: presentation.request,
      certificate: presentation.clientCertificate,
      isInspected: presentation.isInspected ?? false,
    })
  }

  function isStillGood({ key, issuer, resolvedAt }: KnownToken): boolean {
    if (key !== undefined && !issuer.keys.holds(key)) return false
    if (resolvedAt === undefined) return key !== undefined
    return now() - resolvedAt < (issuer.opaqueSeconds ?? OPAQUE_SECONDS)
  }

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

  async function conclude(
    known: KnownToken,
    expected: ExpectedAudience,
    sent: Sent,
  ): Promise<TokenVerdict> {
    const { token, issuer, notBefore } = known
    const all = known.passed
    let proof: ProofVerdict = {}
    let failure =
      trust(issuer, expected) ??
      failureOf(
        checkTimes(
          { exp: token.expiresAt, nbf: notBefore, iat: token.issuedAt || undefined },
          now(),
          clockToleranceSeconds,
        ),
      ) ??
      failureOf(checkAudience(token.audience, expected.audiences))
    const isBound = known.boundTo !== undefined || sent.scheme === 'DPoP'
    if (failure === undefined && isBound && !sent.isInspected) {
      proof = await checkBinding(known, sent)
      failure = proof.failure
    }
    if (failure === undefined && isRevoked !== undefined) {
      const revoked = isRevoked(token)
      if (typeof revoked === 'boolean' ? revoked : await revoked) failure = failed('token_revoked')
    }
    const nonce = proof.nonce === undefined ? {} : { dpopNonce: proof.nonce }
    if (failure === undefined) return { ok: true, token, checks: all, ...nonce }

    const before = all.findIndex(({ name }) => name === failure.name)
    const { issuer: name, clientId, fingerprint } = token
    return {
      ok: false,
      checks: [...all.slice(0, before), failure],
      claimed: { issuer: name, clientId, fingerprint },
      ...nonce,
    }
  }

  /** Taken for a bearer token, a bound one would lose what protects it when it is stolen. */
  function checkBinding(
    { boundTo }: KnownToken,
    { scheme, tokenHash, request, certificate }: Sent,
  ): ProofVerdict | Promise<ProofVerdict> {
    if (boundTo === undefined) return { failure: failed('dpop_token_unbound') }
    if (boundTo === 'unsupported') return { failure: failed('binding_unsupported') }
    if (boundTo.x5t !== undefined && boundTo.x5t !== certificate) {
      const code = certificate === undefined ? 'certificate_missing' : 'certificate_mismatch'
      return { failure: failed(code) }
    }
    if (boundTo.jkt === undefined) {
      return scheme === 'DPoP' ? { failure: failed('dpop_token_unbound') } : {}
    }
    if (checkProof === undefined || request === undefined) {
      return { failure: failed('binding_unsupported') }
    }
    if (scheme !== 'DPoP') return { failure: failed('dpop_scheme_missing') }
    return checkProof({ request, tokenHash, thumbprint: boundTo.jkt })
  }

  return checkProof === undefined ? { verify } : { verify, dpopAlgorithms: SIGNATURE_ALGORITHMS }
}

function failureOf(check: Check): Check | undefined {
  return check.outcome === 'fail' ? check : undefined
}

/** The first 16 bytes of the hash, for logs and traces. */
function fingerprintOf(hashText: string): string {
  return Buffer.from(hashText, 'base64url').subarray(0, 16).toString('base64url')
}

function trust(issuer: Issuer, expected: ExpectedAudience): Check | undefined {
  if (expected.issuers.includes(issuer.issuer)) return undefined
  return failed('issuer_not_trusted_here', {
    expected: expected.issuers.map(shown).join(', '),
    got: shown(issuer.issuer),
  })
}
