import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'

/** A client that is registered at a lab provider. */
export interface LabClient {
  readonly clientId: string
  readonly secret?: string
  /** Public keys for private_key_jwt. */
  readonly keys?: readonly JsonWebKey[]
  /** Compared exactly. */
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  readonly backchannelLogoutUri?: string
}

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The client of a token request, and whether it proved to be that client. */
export function authenticateLabClient(
  form: URLSearchParams,
  authorization: string | null,
  findClient: (clientId: string) => LabClient | undefined,
  audiences: readonly string[],
): { readonly client: LabClient } | { readonly problem: string } {
  const [basicId, basicSecret] = readBasic(authorization)
  const assertion = form.get('client_assertion')
  const payload = assertion === null ? undefined : readPart(assertion, 1)
  const clientId = form.get('client_id') ?? basicId ?? payload?.sub
  const client = typeof clientId === 'string' ? findClient(clientId) : undefined
  if (client === undefined) return { problem: `no client \`${String(clientId)}\`` }

  if (assertion !== null) {
    if (form.get('client_assertion_type') !== ASSERTION) return { problem: 'client_assertion_type' }
    if (payload?.iss !== client.clientId || payload?.sub !== client.clientId) {
      return { problem: 'the assertion names another client' }
    }
    if (!audiences.includes(String(payload.aud))) {
      return { problem: `the assertion is for \`${String(payload.aud)}\`` }
    }
    const signedByIt = (client.keys ?? []).some((key) => isSignedBy(assertion, key))
    return signedByIt ? { client } : { problem: 'the assertion is not signed by the client' }
  }
  if (client.secret === undefined) return { client }
  const given = basicSecret ?? form.get('client_secret')
  return given === client.secret ? { client } : { problem: 'the secret is wrong' }
}

function readBasic(authorization: string | null): [string?, string?] {
  const [, encoded] = /^Basic (.+)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return []
  const text = Buffer.from(encoded, 'base64').toString()
  const [id = '', secret = ''] = text.split(':')
  const decode = (part: string) => decodeURIComponent(part.replaceAll('+', ' '))
  return [decode(id), decode(secret)]
}

function isSignedBy(jwt: string, jwk: JsonWebKey): boolean {
  const [header = '', body = '', signature = ''] = jwt.split('.')
  const key: KeyObject = createPublicKey({ key: jwk, format: 'jwk' })
  const hash = { rsa: 'sha256', ec: jwk.crv === 'P-384' ? 'sha384' : 'sha256' }[
    key.asymmetricKeyType as 'rsa'
  ]
  return verify(
    hash ?? null,
    Buffer.from(`${header}.${body}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
}

/** The JSON of a part of a JWT, unverified. */
export function readPart(jwt: string, part: 0 | 1): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[part] ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

/** @see RFC 7636 §4.6 */
export function fitsChallenge(verifier: string | null, challenge: string | undefined): boolean {
  if (challenge === undefined) return true
  if (verifier === null) return false
  return createHash('sha256').update(verifier).digest('base64url') === challenge
}
