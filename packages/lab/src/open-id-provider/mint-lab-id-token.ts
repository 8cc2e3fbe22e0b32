import { createHash, createHmac, createPublicKey, randomUUID } from 'node:crypto'
import { signed } from '../issuer/lab-issuer.ts'
import { createLabKey, type LabKey, publicJwk } from '../issuer/lab-keys.ts'
import type { LabFault } from './faults.ts'
import type { FlavourSignIn, LabFlavour } from './flavours/flavour.ts'

/** A sign-in with what the client asked for. */
export interface LabSignIn extends FlavourSignIn {
  readonly nonce: string | undefined
  readonly redirectUri: string
  readonly challenge: string | undefined
  readonly scope: string
  /** The API that was named beside the scopes: `resource`, or Auth0's `audience`. */
  readonly audience: string | undefined
}

interface Making {
  readonly accessToken: string
  readonly flavour: LabFlavour
  readonly key: LabKey
  readonly faults: ReadonlySet<LabFault>
  /** Epoch seconds. */
  readonly now: number
}

const ID_TOKEN_SECONDS = 3600

/** An ID token of the flavour, wrong in the ways that `faults` ask for. */
export function mintLabIdToken(signIn: LabSignIn, making: Making): string {
  const { key, faults } = making
  const claims = claimsOf(signIn, making)
  const header = { typ: 'JWT', alg: key.alg, kid: key.kid }
  if (faults.has('unsigned')) return `${encode({ typ: 'JWT', alg: 'none' })}.${encode(claims)}.`
  if (faults.has('hmac_with_public_key')) {
    const spki = createPublicKey({ key: publicJwk(key), format: 'jwk' })
    const pem = spki.export({ type: 'spki', format: 'pem' })
    const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
    return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
  }
  if (faults.has('forged')) return signed(header, claims, createLabKey(key.alg))
  if (faults.has('unknown_key')) {
    const other = createLabKey(key.alg)
    return signed({ ...header, kid: other.kid }, claims, other)
  }
  return signed(header, claims, key)
}

function claimsOf(signIn: LabSignIn, { accessToken, flavour, faults, now }: Making): object {
  const at = now - (faults.has('expired') ? ID_TOKEN_SECONDS * 2 : 0)
  const hash = createHash('sha256').update(accessToken).digest()
  return {
    iss: faults.has('wrong_issuer') ? 'https://evil.example' : signIn.issuer,
    sub: flavour.subject(signIn.user, signIn.clientId),
    aud: faults.has('wrong_audience') ? 'another-client' : signIn.clientId,
    iat: at,
    exp: at + ID_TOKEN_SECONDS,
    nonce: faults.has('wrong_nonce') ? randomUUID() : signIn.nonce,
    at_hash: hash.subarray(0, 16).toString('base64url'),
    ...flavour.idToken(signIn),
    ...signIn.user.claims,
    ...(faults.has('no_nonce') ? { nonce: undefined } : {}),
    ...(faults.has('wrong_audience') ? { azp: undefined } : {}),
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
