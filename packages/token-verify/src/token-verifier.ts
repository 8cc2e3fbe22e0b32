import { hash } from 'node:crypto'
import { failed } from '@scopegate/checks'
import type {
  ExpectedAudience,
  Presentation,
  PresentedRequest,
  TokenVerdict,
  TokenVerifier,
  VerifiedToken,
} from '@scopegate/oauth-model'
import { LRUCache } from 'lru-cache'
import { SIGNATURE_ALGORITHMS } from './algorithms.ts'
import { checkAudience } from './check-audience.ts'
import { createProofChecker, type DpopOptions, type ProofVerdict } from './check-proof.ts'
import { checkTimes } from './check-times.ts'
import type { Issuer } from './issuer.ts'
import { createTokenJudge, failureOf, type KnownToken, trust } from './judge-token.ts'
import { claimedBy } from './read-claims.ts'
import { readCredential, type TokenScheme } from './read-token.ts'

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

/** How a known token was sent this time. */
interface Sent {
  readonly scheme: TokenScheme
  readonly tokenHash: string
  readonly request: PresentedRequest | undefined
  readonly certificate: string | undefined
  readonly isInspected: boolean
}

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
  const judge = createTokenJudge(options)
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

/** The first 16 bytes of the hash, for logs and traces. */
function fingerprintOf(hashText: string): string {
  return Buffer.from(hashText, 'base64url').subarray(0, 16).toString('base64url')
}
