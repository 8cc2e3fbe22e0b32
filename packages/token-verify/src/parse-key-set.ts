import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { algorithmFits } from './algorithms.ts'
import type { VerificationKey } from './key-source.ts'

export type ParsedKeySet =
  | { readonly ok: true; readonly keys: readonly VerificationKey[] }
  | { readonly ok: false; readonly problem: string }

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const SIGNATURE_TYPES = new Set(['RSA', 'EC', 'OKP'])
const MIN_RSA_BITS = 2048
const MAX_KEYS = 100

/**
 * Reads a JWK Set. Keys for other uses are left out, as RFC 7517 §5 asks; a set that shows a
 * private key, or holds the same `kid` twice, is refused whole: nobody can say what it means.
 *
 * @see RFC 7517 §5
 */
export function parseKeySet(value: unknown): ParsedKeySet {
  const refuse = (problem: string): ParsedKeySet => ({ ok: false, problem })
  const members = (value as { keys?: unknown } | null | undefined)?.keys
  if (!Array.isArray(members)) return refuse('not a JWK Set: it has no `keys` array')
  if (members.length > MAX_KEYS) return refuse(`more than ${MAX_KEYS} keys`)

  const keys: VerificationKey[] = []
  const seen = new Set<string>()
  for (const [index, jwk] of members.entries()) {
    if (typeof jwk !== 'object' || jwk === null) return refuse(`key ${index} is not an object`)
    const { kty, kid, use, alg, crv, issuer, key_ops: operations } = jwk as Record<string, unknown>
    if (PRIVATE_MEMBERS.some((member) => member in jwk)) {
      return refuse(
        `key ${index} has a private part: publish public keys only, and replace this one`,
      )
    }
    if (typeof kty !== 'string' || !SIGNATURE_TYPES.has(kty)) continue
    if (use !== undefined && use !== 'sig') continue
    if (Array.isArray(operations) && !operations.includes('verify')) continue
    if (typeof kid === 'string') {
      const name = `${kty} ${kid}`
      if (seen.has(name)) return refuse(`two keys have the \`kid\` \`${kid}\``)
      seen.add(name)
    }

    const key = importKey(jwk as JsonWebKey)
    if (key === undefined) return refuse(`key ${index} is not a valid ${kty} key`)
    const bits = key.asymmetricKeyDetails?.modulusLength
    if (bits !== undefined && bits < MIN_RSA_BITS) {
      return refuse(
        `key ${index}: RSA keys need at least ${MIN_RSA_BITS} bits, this one has ${bits}`,
      )
    }
    keys.push({
      kty,
      key,
      ...(typeof kid === 'string' ? { kid } : {}),
      ...(typeof alg === 'string' ? { alg } : {}),
      ...(typeof crv === 'string' ? { crv } : {}),
      ...(typeof issuer === 'string' ? { issuer } : {}),
    })
  }
  return { ok: true, keys }
}

/** Those keys of a set that can have signed with `alg` under the name `kid`. */
export function keysFor(
  keys: readonly VerificationKey[],
  alg: string,
  kid: string | undefined,
): readonly VerificationKey[] {
  return keys.filter(
    (key) =>
      (kid === undefined || key.kid === kid) &&
      (key.alg === undefined || key.alg === alg) &&
      algorithmFits(alg, key),
  )
}

function importKey(jwk: JsonWebKey) {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}
