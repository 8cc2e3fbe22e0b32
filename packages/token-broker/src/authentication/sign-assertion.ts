import type { KeySigner } from '@scopegate/keys'
import type { AssertionProfile } from '../connection.ts'

export interface AssertionInput {
  readonly signer: KeySigner
  readonly profile: AssertionProfile
  readonly issuer: string
  readonly subject?: string
  /** Found by discovery or written. */
  readonly tokenEndpoint: string
  readonly serverIssuer: string | undefined
  readonly claims?: Readonly<Record<string, unknown>>
  readonly nowMs: number
  /** Never the same twice, not even for another attempt of one request. */
  readonly jti: string
}

/** What keeps an assertion from being made; nothing was sent. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * A JWT that proves the client, or is the grant itself, as the profile of the provider wants it.
 * Several values of `aud` are never sent: some providers refuse them.
 *
 * @throws {AssertionError} where the key lacks what the profile names
 * @see RFC 7523 §3
 */
export async function signAssertion(input: AssertionInput): Promise<string> {
  const { signer, profile, nowMs } = input
  if (profile.alg !== undefined && profile.alg !== signer.alg) {
    throw new AssertionError(`the key signs ${signer.alg}, and the connection wants ${profile.alg}`)
  }
  const iat = Math.floor(nowMs / 1000)
  const claims = {
    ...input.claims,
    iss: input.issuer,
    ...(input.subject !== undefined && { sub: input.subject }),
    aud: audienceOf(input),
    jti: input.jti,
    iat,
    nbf: iat,
    exp: iat + profile.lifetimeSeconds,
  }
  const signed = `${encode({ alg: signer.alg, ...headersOf(input) })}.${encode(claims)}`
  const signature = await signer.sign(Buffer.from(signed))
  return `${signed}.${Buffer.from(signature).toString('base64url')}`
}

/** `aud` of an assertion by this profile. */
export function audienceOf({
  profile: { audience },
  tokenEndpoint,
  serverIssuer,
}: Pick<AssertionInput, 'profile' | 'tokenEndpoint' | 'serverIssuer'>): string {
  if (audience === 'token-endpoint') return tokenEndpoint
  if (audience !== 'issuer') return audience.value
  if (serverIssuer !== undefined) return serverIssuer
  throw new AssertionError('assertions are addressed to the issuer, and it is not known')
}

function headersOf({ signer, profile }: AssertionInput): Readonly<Record<string, unknown>> {
  const values = {
    typ: 'JWT',
    kid: profile.keyId ?? signer.kid,
    x5t: signer.x5t,
    'x5t#S256': signer.x5tS256,
    x5c: signer.x5c,
    jku: profile.jwksUrl,
  }
  const chosen = profile.headers.map((name) => [name, values[name]] as const)
  for (const [name, value] of chosen) {
    if (value === undefined) {
      throw new AssertionError(
        `the header \`${name}\` is made of a certificate, and the key has none`,
      )
    }
  }
  return Object.fromEntries(chosen)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
