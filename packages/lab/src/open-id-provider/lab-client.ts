import {
  constants,
  createHash,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  verify,
} from 'node:crypto'
import type { TokenProblem } from './access/token-problem.ts'

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
  /** App roles that an administrator gave to it. */
  readonly roles?: readonly string[]
  /** Keycloak: what its audience mapper puts into `aud`. */
  readonly audience?: string | readonly string[]
  /** Grants it may use. Default: all. */
  readonly grants?: readonly string[]
  readonly isSecretExpired?: boolean
  /** Okta: it has to send a DPoP proof. */
  readonly dpop?: boolean
}

/** A client, and how it showed who it is. */
export interface AuthenticatedClient {
  readonly client: LabClient
  readonly proof: 'none' | 'secret' | 'key'
}

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The client of a token request, and how it proved to be that client; or why it did not. */
export function authenticateLabClient(
  form: URLSearchParams,
  authorization: string | null,
  findClient: (clientId: string) => LabClient | undefined,
  audiences: readonly string[],
  now: number,
): AuthenticatedClient | TokenProblem {
  const [basicId, basicSecret] = readBasic(authorization)
  const assertion = form.get('client_assertion')
  const payload = assertion === null ? undefined : readPart(assertion, 1)
  const asked = form.get('client_id') ?? basicId ?? payload?.sub
  if (typeof asked !== 'string') return { problem: 'parameter_missing', value: 'client_id' }
  const client = findClient(asked)
  const clientId = asked
  if (client === undefined) return { problem: 'client_unknown', clientId }

  if (assertion !== null) {
    if (form.get('client_assertion_type') !== ASSERTION) {
      return { problem: 'assertion_type', clientId }
    }
    if (payload?.iss !== clientId || payload?.sub !== clientId) {
      return { problem: 'assertion_names', clientId }
    }
    const problem = judgeAssertion(assertion, client, audiences, now)
    return problem ?? { client, proof: 'key' }
  }
  const given = basicSecret ?? form.get('client_secret') ?? undefined
  if (client.secret === undefined) {
    if (client.keys !== undefined && client.keys.length > 0) {
      return { problem: 'secret_missing', clientId }
    }
    return { client, proof: given === undefined ? 'none' : 'secret' }
  }
  if (given === undefined) return { problem: 'secret_missing', clientId }
  if (given !== client.secret) return { problem: 'secret_wrong', clientId }
  if (client.isSecretExpired === true) return { problem: 'secret_expired', clientId }
  return { client, proof: 'secret' }
}

const MAX_ASSERTION_SECONDS = 3600

/** Why a signed statement of a client is not taken; `undefined` when it is. @see RFC 7523 §3 */
export function judgeAssertion(
  assertion: string,
  { clientId, keys = [] }: LabClient,
  audiences: readonly string[],
  now: number,
): TokenProblem | undefined {
  const { aud, exp } = readPart(assertion, 1) ?? {}
  const audience = [aud].flat().map(String)
  if (!audience.some((each) => audiences.includes(each))) {
    return { problem: 'assertion_audience', clientId, value: audience.join(' ') }
  }
  if (typeof exp !== 'number' || exp <= now || exp > now + MAX_ASSERTION_SECONDS) {
    return { problem: 'assertion_time', clientId }
  }
  if (keys.some((key) => isSignedBy(assertion, key))) return undefined
  return { problem: 'assertion_signature', clientId }
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
  const alg = String(readPart(jwt, 0)?.alg)
  const padding = alg.startsWith('PS') ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
  const digest = /^(?:RS|PS|ES)(256|384|512)$/.exec(alg)?.[1]
  try {
    return verify(
      digest === undefined ? null : `sha${digest}`,
      Buffer.from(`${header}.${body}`),
      { key, dsaEncoding: 'ieee-p1363', ...padding },
      Buffer.from(signature, 'base64url'),
    )
  } catch {
    // A key of another kind than the algorithm.
    return false
  }
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
