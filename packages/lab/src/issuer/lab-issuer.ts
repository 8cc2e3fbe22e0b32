import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  randomUUID,
  sign,
} from 'node:crypto'
import { createLabKey, type LabAlgorithm, type LabKey, publicJwk } from './lab-keys.ts'

export interface LabIssuerOptions {
  readonly issuer: string
  /** Made if not given. The first one signs. */
  readonly keys?: readonly LabKey[]
  /** Epoch seconds. */
  readonly now?: () => number
}

export interface LabTokenOptions {
  readonly scope?: string
  /** A bare id, as in SMART. */
  readonly patient?: string
  readonly encounter?: string
  /** `Practitioner/1`, relative or absolute. */
  readonly fhirUser?: string
  readonly audience: string | readonly string[]
  readonly subject?: string
  readonly clientId?: string
  /** Negative: expired already. Default 300. */
  readonly expiresInSeconds?: number
  /** Which key signs; default the first. */
  readonly kid?: string
  /** Set over everything else; `undefined` removes. */
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface LabIssuer {
  readonly issuer: string
  /** Public keys, as the issuer would publish them. */
  readonly keySet: { readonly keys: readonly object[] }
  /** An access token after RFC 9068. */
  mintToken(options: LabTokenOptions): string
  /** Tokens that must be refused. */
  readonly wrong: {
    unsigned(options: LabTokenOptions): string
    /** HS256 with the public key (as PEM) for a secret: the classic confusion. */
    hmacWithPublicKey(options: LabTokenOptions): string
    expired(options: LabTokenOptions): string
    notYetValid(options: LabTokenOptions): string
    /** Signed with a key that has the right `kid` and is not the issuer's. */
    forged(options: LabTokenOptions): string
    idToken(options: LabTokenOptions): string
    /** One claim changed after signing. */
    tampered(options: LabTokenOptions, claims: Readonly<Record<string, unknown>>): string
  }
}

/** An issuer without a server, for tests, for learning and for `scopegate lab token`. */
export function createLabIssuer(options: LabIssuerOptions): LabIssuer {
  const { issuer } = options
  const now = options.now ?? (() => Math.floor(Date.now() / 1000))
  const keys = options.keys ?? [createLabKey()]

  function keyOf(kid: string | undefined): LabKey {
    const key = kid === undefined ? keys[0] : keys.find((candidate) => candidate.kid === kid)
    if (key === undefined) throw new Error(`the lab issuer has no key \`${kid ?? ''}\``)
    return key
  }

  function parts(token: LabTokenOptions): { header: object; claims: object; key: LabKey } {
    const key = keyOf(token.kid)
    const { scope, patient, encounter, fhirUser, subject = 'lab-user', clientId = 'lab' } = token
    const header = { typ: 'at+jwt', alg: key.alg, kid: key.kid, ...token.header }
    const claims = {
      iss: issuer,
      sub: subject,
      aud: token.audience,
      client_id: clientId,
      iat: now(),
      exp: now() + (token.expiresInSeconds ?? 300),
      jti: randomUUID(),
      scope,
      patient,
      encounter,
      fhirUser,
      ...token.claims,
    }
    return { header, claims, key }
  }

  function mintToken(token: LabTokenOptions): string {
    const { header, claims, key } = parts(token)
    return signed(header, claims, key)
  }

  return {
    issuer,
    keySet: { keys: keys.map(publicJwk) },
    mintToken,
    wrong: {
      unsigned(token) {
        const { header, claims } = parts(token)
        return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`
      },
      hmacWithPublicKey(token) {
        const { header, claims, key } = parts(token)
        const pem = createPublicKey({ key: publicJwk(key), format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        })
        const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
        return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
      },
      expired: (token) =>
        mintToken({
          ...token,
          claims: { iat: now() - 3900, exp: now() - 3600, ...token.claims },
        }),
      notYetValid: (token) =>
        mintToken({ ...token, claims: { nbf: now() + 3600, ...token.claims } }),
      forged(token) {
        const { header, claims, key } = parts(token)
        return signed(header, claims, createLabKey(key.alg))
      },
      idToken: (token) =>
        mintToken({
          ...token,
          audience: token.clientId ?? 'lab',
          header: { typ: 'JWT', ...token.header },
          claims: { scope: undefined, nonce: randomUUID(), ...token.claims },
        }),
      tampered(token, claims) {
        const [header = '', body = '', signature = ''] = mintToken(token).split('.')
        const before = JSON.parse(Buffer.from(body, 'base64url').toString()) as object
        return `${header}.${encode({ ...before, ...claims })}.${signature}`
      },
    },
  }
}

/** Signs a compact JWS over any header and claims, right or wrong: for assertions in tests too. */
export function signed(header: object, claims: object, key: LabKey): string {
  const input = `${encode(header)}.${encode(claims)}`
  const options = { key: createPrivateKey({ key, format: 'jwk' }), ...SIGNING[key.alg].options }
  const signature = sign(SIGNING[key.alg].hash, Buffer.from(input), options)
  return `${input}.${signature.toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const EC = { dsaEncoding: 'ieee-p1363' } as const
const SIGNING: Record<LabAlgorithm, { hash: string | null; options: object }> = {
  RS256: { hash: 'sha256', options: {} },
  RS384: { hash: 'sha384', options: {} },
  PS256: { hash: 'sha256', options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  ES256: { hash: 'sha256', options: EC },
  ES384: { hash: 'sha384', options: EC },
  EdDSA: { hash: null, options: {} },
}
