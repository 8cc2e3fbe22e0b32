import { createHash, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type LabAlgorithm = 'RS256' | 'RS384' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA'

/** A private JWK with `kid` and `alg`. */
export interface LabKey extends JsonWebKey {
  readonly kid: string
  readonly alg: LabAlgorithm
  readonly use: 'sig'
}

/** Makes a signing key; its `kid` is the thumbprint. @see RFC 7638 */
export function createLabKey(alg: LabAlgorithm = 'ES256'): LabKey {
  const { privateKey } = generate(alg)
  const jwk = privateKey.export({ format: 'jwk' })
  const kid = createHash('sha256').update(thumbprintInput(jwk)).digest('base64url')
  return { ...jwk, kid, alg, use: 'sig' }
}

function generate(alg: LabAlgorithm) {
  switch (alg) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
    default:
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
  }
}

function thumbprintInput({ crv, e, kty, n, x, y }: JsonWebKey): string {
  if (kty === 'RSA') return JSON.stringify({ e, kty, n })
  return JSON.stringify(kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y })
}

/** The public half, as it stands in a key set. */
export function publicJwk(key: LabKey): JsonWebKey & { readonly kid: string } {
  const { d, p, q, dp, dq, qi, oth, k, ...open } = key as Record<string, unknown>
  return open as JsonWebKey & { kid: string }
}

/**
 * The keys in `privateFile`, made (0600) if it is not there; `publicFile`, if given, gets the public
 * key set, as `keysFile` of a configured issuer expects it.
 */
export function openLabKeys(
  privateFile: string,
  publicFile?: string,
  alg: LabAlgorithm = 'ES256',
): readonly LabKey[] {
  if (!existsSync(privateFile)) {
    writeText(privateFile, { keys: [createLabKey(alg)] }, 0o600)
  }
  const { keys } = JSON.parse(readFileSync(privateFile, 'utf8')) as { keys: LabKey[] }
  if (!Array.isArray(keys) || keys.length === 0 || keys.some((key) => key.d === undefined)) {
    throw new Error(`\`${privateFile}\` holds no private keys: remove it, and new ones are made`)
  }
  if (publicFile !== undefined) writeText(publicFile, { keys: keys.map(publicJwk) }, 0o644)
  return keys
}

function writeText(file: string, value: unknown, mode: number): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode })
  chmodSync(file, mode)
}
