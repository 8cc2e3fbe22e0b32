import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export interface SignedAgain {
  readonly token: string
  /** The set that it verifies under; its key was made for this token and is in no other place. */
  readonly keySet: { readonly keys: readonly Record<string, unknown>[] }
}

/**
 * The same header and claims under a key of our own, so that everything but the signature can be
 * judged where the issuer's keys are out of reach. Nothing but an explanation may come of it.
 * `undefined` for what is no JWT, or is not signed with an asymmetric algorithm: that is judged as
 * it is.
 */
export function signAgain(token: string): SignedAgain | undefined {
  const [head = '', claims = '', ...rest] = token.split('.')
  const header = readHeader(head)
  const alg = header?.alg
  if (rest.length !== 1 || header === undefined || typeof alg !== 'string') return undefined
  const pair = keyPairFor(alg)
  if (pair === undefined) return undefined
  const kid = 'explain'
  const signed = Buffer.from(JSON.stringify({ ...header, kid })).toString('base64url')
  const input = `${signed}.${claims}`
  const signature = sign(hashOf(alg), Buffer.from(input), {
    key: pair.privateKey,
    dsaEncoding: 'ieee-p1363',
    ...(alg.startsWith('PS') && {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
  })
  return {
    token: `${input}.${signature.toString('base64url')}`,
    keySet: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }] },
  }
}

function readHeader(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return value !== null && typeof value === 'object' ? value : undefined
  } catch {
    return undefined
  }
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

function keyPairFor(alg: string): { publicKey: KeyObject; privateKey: KeyObject } | undefined {
  if (/^[RP]S(?:256|384|512)$/.test(alg)) return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  const namedCurve = Object.hasOwn(CURVES, alg) ? CURVES[alg] : undefined
  return namedCurve === undefined ? undefined : generateKeyPairSync('ec', { namedCurve })
}

function hashOf(alg: string): string | null {
  return alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
}
