import {
  constants,
  createHash,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  verify,
  X509Certificate,
} from 'node:crypto'
import type { TokenProblem } from './access/token-problem.ts'

/** A client that is registered at a lab provider. */
export interface LabClient {
  readonly clientId: string
  /** Several while one is replaced. */
  readonly secret?: string | readonly string[]
  /** Public keys for private_key_jwt. */
  readonly keys?: readonly JsonWebKey[]
  /** Certificates for private_key_jwt, PEM: an assertion names one by its thumbprint. */
  readonly certificates?: readonly string[]
  /** Its name and secret in HTTP Basic are taken as they come, not percent-decoded. */
  readonly rawBasic?: boolean
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
  audiences: Audiences,
  now: number,
  rules: AssertionRules = {},
): AuthenticatedClient | TokenProblem {
  const basic = readBasic(authorization)
  const isRaw = findClient(basic?.raw[0] ?? '')?.rawBasic === true
  const [basicId, basicSecret] = (isRaw ? basic?.raw : basic?.decoded) ?? []
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
    const problem = judgeAssertion(assertion, client, audiences, now, rules)
    return problem ?? { client, proof: 'key' }
  }
  const given = basicSecret ?? form.get('client_secret') ?? undefined
  if (client.secret === undefined) {
    if ((client.keys ?? client.certificates ?? []).length > 0) {
      return { problem: 'secret_missing', clientId }
    }
    return { client, proof: given === undefined ? 'none' : 'secret' }
  }
  if (given === undefined) return { problem: 'secret_missing', clientId }
  if (![client.secret].flat().includes(given)) return { problem: 'secret_wrong', clientId }
  if (client.isSecretExpired === true) return { problem: 'secret_expired', clientId }
  return { client, proof: 'secret' }
}

/** What an assertion may be for. */
export interface Audiences {
  readonly issuer: string
  readonly tokenEndpoint: string
}

/** What a provider wants of assertions, beside a signature. */
export interface AssertionRules {
  /** Keycloak from 26.2: exactly one. */
  readonly oneAudience?: boolean
  /** Entra: the issuer is no audience. */
  readonly tokenEndpointOnly?: boolean
  /** A `jti` must be there. */
  readonly needsId?: boolean
  /** From `nbf`, `iat` or now to `exp`. Default: an hour. */
  readonly maxSeconds?: number
}

const MAX_ASSERTION_SECONDS = 3600

/** Why a signed statement of a client is not taken; `undefined` when it is. @see RFC 7523 §3 */
export function judgeAssertion(
  assertion: string,
  client: LabClient,
  audiences: Audiences,
  now: number,
  rules: AssertionRules = {},
): TokenProblem | undefined {
  const { clientId } = client
  const { aud, exp, nbf, iat, jti } = readPart(assertion, 1) ?? {}
  const audience = [aud].flat().map(String)
  const accepted = [
    audiences.tokenEndpoint,
    ...(rules.tokenEndpointOnly === true ? [] : [audiences.issuer]),
  ]
  const isFor = audience.some((each) => accepted.includes(each))
  if (!isFor || (rules.oneAudience === true && audience.length > 1)) {
    return { problem: 'assertion_audience', clientId, value: audience.join(' ') }
  }
  const begin = [nbf, iat].find((time) => typeof time === 'number') ?? now
  const max = rules.maxSeconds ?? MAX_ASSERTION_SECONDS
  const isTimely =
    typeof exp === 'number' &&
    exp > now &&
    begin <= now + CLOCK_TOLERANCE_SECONDS &&
    exp - Math.min(begin, now) <= max + CLOCK_TOLERANCE_SECONDS
  if (!isTimely) return { problem: 'assertion_time', clientId }
  if (rules.needsId === true && (typeof jti !== 'string' || jti === '')) {
    return { problem: 'assertion_replayed', clientId }
  }
  const keys = [...(client.keys ?? []).map((key) => createPublicKey({ key, format: 'jwk' }))]
  keys.push(...certificateKeys(assertion, client.certificates ?? []))
  if (keys.some((key) => isSignedBy(assertion, key))) return undefined
  return { problem: 'assertion_signature', clientId }
}

const CLOCK_TOLERANCE_SECONDS = 5

/** Of the certificate that `x5t#S256`, or the older `x5t`, names. @see RFC 7515 §4.1.7 */
function certificateKeys(assertion: string, certificates: readonly string[]): KeyObject[] {
  const header = readPart(assertion, 0)
  return certificates
    .map((pem) => new X509Certificate(pem))
    .filter(({ raw }) => {
      const thumbprint = (hash: string) => createHash(hash).update(raw).digest('base64url')
      const s256 = header?.['x5t#S256']
      return s256 === undefined ? header?.x5t === thumbprint('sha1') : s256 === thumbprint('sha256')
    })
    .map(({ publicKey }) => publicKey)
}

function readBasic(authorization: string | null) {
  const [, encoded] = /^Basic (.+)$/i.exec(authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  const raw = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  return { raw, decoded: raw.map(percentDecoded) }
}

function percentDecoded(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    // A `%` that nobody encoded.
    return part
  }
}

function isSignedBy(jwt: string, key: KeyObject): boolean {
  const [header = '', body = '', signature = ''] = jwt.split('.')
  const alg = String(readPart(jwt, 0)?.alg)
  const padding = alg.startsWith('PS')
    ? {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }
    : {}
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
