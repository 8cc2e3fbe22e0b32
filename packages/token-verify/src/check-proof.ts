import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { type Check, failed } from '@scopegate/checks'
import type { PresentedRequest } from '@scopegate/oauth-model'
import { LRUCache } from 'lru-cache'
import { algorithmFits, SIGNATURE_ALGORITHMS, verifySignature } from './algorithms.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { jwkThumbprint } from './jwk-thumbprint.ts'
import { type ReadToken, readJwt } from './read-token.ts'
import { shown } from './shown.ts'
import type { UsedProofs } from './used-proofs.ts'

/** How proofs of possession are judged. @see RFC 9449 */
export interface DpopOptions {
  /** Where used proofs are remembered. */
  readonly usedProofs: UsedProofs
  /** How far the `iat` of a proof without nonce may be from now, either way. Default 60. */
  readonly proofSeconds?: number
  /** Without them, a `nonce` in a proof is not looked at. */
  readonly nonces?: DpopNonces
  /** Refuse proofs without a nonce. */
  readonly requireNonce?: boolean
}

export interface ProofVerdict {
  readonly failure?: Check
  /** For the header `DPoP-Nonce`. */
  readonly nonce?: string
}

export interface ProofExpectation {
  readonly request: PresentedRequest
  /** SHA-256 of the access token, base64url. */
  readonly tokenHash: string
  /** Thumbprint of the key that the access token is bound to. */
  readonly thumbprint: string
}

const NONCE_SECONDS = 180
const PRIVATE_MEMBERS = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth']

/** Checks the header `DPoP` of requests. @see RFC 9449 §4.3 */
export function createProofChecker(
  options: DpopOptions,
  /** Epoch seconds. */
  now: () => number,
): (expected: ProofExpectation) => Promise<ProofVerdict> {
  const { usedProofs, nonces } = options
  const proofSeconds = options.proofSeconds ?? 60
  const keepSeconds = Math.max(2 * proofSeconds, nonces === undefined ? 0 : NONCE_SECONDS) + 1
  const keys = new LRUCache<string, KeyObject>({ max: 1000 })

  /** The key was bound to the token by its issuer, so that it is worth keeping. */
  function keyOf(thumbprint: string, jwk: JsonWebKey): KeyObject | undefined {
    const known = keys.get(thumbprint)
    if (known !== undefined) return known
    try {
      const key = createPublicKey({ key: jwk, format: 'jwk' })
      keys.set(thumbprint, key)
      return key
    } catch {
      return undefined
    }
  }

  function checkKey({ header, signingInput, signature }: ReadToken, thumbprint: string) {
    const { typ, alg, jwk } = header
    if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt') {
      return refuse('`typ` dpop+jwt', typ === undefined ? 'no `typ`' : shown(typ))
    }
    if (typeof alg !== 'string' || !SIGNATURE_ALGORITHMS.includes(alg)) {
      return refuse(`\`alg\` ${SIGNATURE_ALGORITHMS.join(', ')}`, shown(alg))
    }
    if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) {
      return refuse('a public key in `jwk`', 'none')
    }
    if (PRIVATE_MEMBERS.some((member) => member in jwk)) {
      return refuse('a public key in `jwk`', 'a private or symmetric one, which is now exposed')
    }
    if (!algorithmFits(alg, jwk)) return refuse(`a \`jwk\` for ${alg}`, 'a key of another type')
    if (jwkThumbprint(jwk as Record<string, unknown>) !== thumbprint) {
      return refuse('the key that the token is bound to', 'another key')
    }
    const key = keyOf(thumbprint, jwk as JsonWebKey)
    if (key === undefined || !verifySignature(alg, key, signingInput, signature)) {
      return refuse('a signature by the key in `jwk`', 'another signature')
    }
    return undefined
  }

  function checkRequest({ claims }: ReadToken, { request, tokenHash }: ProofExpectation) {
    const { htm, htu, ath, jti } = claims
    if (htm !== request.method) return refuse(`\`htm\` ${request.method}`, shown(htm))
    const address = withoutQuery(request.url)
    if (typeof htu !== 'string' || withoutQuery(htu) !== address) {
      return refuse(`\`htu\` ${address}`, shown(htu))
    }
    if (ath !== tokenHash) return refuse('`ath` of the token that is sent', 'that of another')
    if (typeof jti !== 'string' || jti === '') return refuse('a unique `jti`', shown(jti))
    return undefined
  }

  function checkTime({ claims: { iat, nonce } }: ReadToken): Check | undefined {
    if (typeof iat !== 'number') return refuse('a time in `iat`', shown(iat))
    if (nonces !== undefined && nonce !== undefined) {
      // A nonce of ours tells the time better than the client's clock.
      return typeof nonce === 'string' && nonces.accepts(nonce)
        ? undefined
        : failed('dpop_nonce_needed')
    }
    if (options.requireNonce === true) return failed('dpop_nonce_needed')
    const age = now() - iat
    if (Math.abs(age) <= proofSeconds) return undefined
    return refuse(`an \`iat\` within ${proofSeconds} s of the server's clock`, `${age} s before it`)
  }

  return async (expected) => {
    const fresh = nonces?.current()
    const verdict = (failure: Check, nonce?: string): ProofVerdict =>
      nonce === undefined ? { failure } : { failure, nonce }
    const { proof } = expected.request
    if (proof === undefined || proof === '') return verdict(failed('dpop_proof_missing'), fresh)
    const reading = readJwt(proof)
    if (!reading.ok) return verdict(refuse('one JWT', 'something else'))
    const read = reading.token

    const wrong = checkKey(read, expected.thumbprint) ?? checkRequest(read, expected)
    if (wrong !== undefined) return verdict(wrong)
    const late = checkTime(read)
    if (late !== undefined) return verdict(late, fresh)
    // Only now: what was not good must not use up the `jti` of what is.
    const id = `${expected.thumbprint} ${read.claims.jti}`
    if (!(await usedProofs.consume(id, keepSeconds))) return verdict(failed('dpop_proof_replayed'))
    return fresh === undefined || read.claims.nonce === fresh ? {} : { nonce: fresh }
  }
}

function refuse(expected: string, got: string): Check {
  return failed('dpop_proof_invalid', { expected, got })
}

/** @see RFC 9449 §4.3, item 9: compared after normalization, without query and fragment */
function withoutQuery(address: string): string | undefined {
  const url = URL.parse(address)
  if (url === null) return undefined
  url.search = ''
  url.hash = ''
  return url.href
}
