import { titleOf } from './title-of.ts'

/** Stands for what was taken out. */
export const REDACTED = '[redacted]'

const MAX_DEPTH = 12
const MAX_TEXT = 4096

// Compared without case, `-` and `_`, so `client_secret`, `clientSecret` and `Client-Secret` are one.
const SECRET_NAMES = new Set(
  `authorization proxyauthorization cookie setcookie token accesstoken refreshtoken idtoken idtokenhint
  subjecttoken actortoken bearertoken secret clientsecret clientassertion assertion samlresponse password
  passwd pwd passphrase authorizationcode authcode codeverifier devicecode usercode otp pin apikey xapikey privatekey
  masterkey signingkey secretkey cursorkey credential credentials dpop connectionstring databaseurl
  sessionid cookiesecret salt passwordhash secrethash logintoken registrationaccesstoken`.split(
    /\s+/,
  ),
)
const SECRET_ENDINGS = [
  'secret',
  'password',
  'token',
  'apikey',
  'privatekey',
  'credential',
  'assertion',
]
/** Private members of a JWK. @see RFC 7518 §6 */
const PRIVATE_JWK_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])

const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
// Header and claims of a JWS or JWE begin with `{"`, which base64url writes as `eyJ` (or, after
// white space, as `ew`/`eyA`); a truncated one without signature counts as well.
const JWT = /(?:\be[wy]|eyJ)[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,3}/g
const AUTHORIZATION = /(bearer|basic|dpop|negotiate|digest)(\s+|%20|\+)[^\s"',;<>]+/gi
const PARAMETER =
  /([A-Za-z_-]{0,40}(?:token|secret|password|passwd|pwd|assertion|verifier|api[_-]?key|sig|signature))(=|%3[dD])[^\s&"'<>;#]+/gi
// `code` is also a search parameter and a name in FHIR: an authorization code only where its company says so.
const OAUTH_COMPANY = /\b(?:state|grant_type|redirect_uri|code_verifier|client_id)(?:=|%3[dD])/
const CODE_PARAMETER = /\b(code)(=|%3[dD])[^\s&"'<>;#]+/gi
const OAUTH_MEMBERS = [
  'state',
  'grant_type',
  'redirect_uri',
  'code_verifier',
  'client_id',
  'grantType',
  'redirectUri',
  'codeVerifier',
  'clientId',
]
// Client secrets that this server made. @see generateSecret
const OWN_SECRET = /\bsgs_[A-Za-z0-9_-]{8,}/g
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi

/**
 * Text without bearer tokens, JWTs, private keys, passwords in addresses, and secret parameters.
 * A safety net behind the rule that these are not put into texts at all.
 */
export function redactText(text: string): string {
  // Cut before the patterns run, so that long text costs no more than what is shown of it; what is
  // cut through here is no usable token, and still begins like one.
  const head = text.slice(0, 2 * MAX_TEXT)
  const clean = (
    OAUTH_COMPANY.test(head) ? head.replaceAll(CODE_PARAMETER, `$1$2${REDACTED}`) : head
  )
    .replaceAll(PEM, REDACTED)
    .replaceAll(URL_PASSWORD, `$1:${REDACTED}@`)
    .replaceAll(AUTHORIZATION, `$1 ${REDACTED}`)
    .replaceAll(PARAMETER, `$1$2${REDACTED}`)
    .replaceAll(JWT, REDACTED)
    .replaceAll(OWN_SECRET, REDACTED)
  const isWhole = head.length === text.length && clean.length <= MAX_TEXT
  return isWhole ? clean : `${clean.slice(0, MAX_TEXT)}… (${text.length} characters)`
}

/** Whether a member of this name is taken out whatever it holds. */
export function isSecretName(name: string): boolean {
  const bare = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return SECRET_NAMES.has(bare) || SECRET_ENDINGS.some((ending) => bare.endsWith(ending))
}

/**
 * A copy for logs and traces: secrets are taken out by the name of the member and by the shape of
 * the text, in keys too. Bytes are never shown. Does not know patient data: claims go through
 * `redactClaims`, resources are not logged.
 */
export function redact(value: unknown): unknown {
  return copy(value, 0, new Set())
}

function copy(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return `${value}`
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
  if (typeof value !== 'object' || value === null) return value
  if (above.has(value)) return '[circular]'
  if (depth >= MAX_DEPTH) return '[too deep]'
  const path = new Set(above).add(value)
  const inner = (item: unknown) => copy(item, depth + 1, path)

  if (Array.isArray(value)) return pairs(value) ? value.map(pair(inner)) : value.map(inner)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${value.byteLength} bytes]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toJSON()
  if (value instanceof URL) return redactText(value.href)
  if (value instanceof Error)
    return members(
      Object.entries({
        ...withoutRowValues(value),
        name: value.name,
        message: value.message,
        ...(value.stack === undefined ? {} : { stack: value.stack }),
        ...(value.cause === undefined ? {} : { cause: value.cause }),
      }),
      value,
      inner,
    )
  if (value instanceof Set) return [...value].map(inner)
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams)
    return members(
      [...value.entries()].map(([name, item]) => [String(name), item]),
      value,
      inner,
    )
  return members(Object.entries(value), value, inner)
}

/** PostgreSQL repeats values of rows and parameters in these members of its errors. */
function withoutRowValues(error: Error): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...error }
  for (const name of ['detail', 'where', 'internalQuery', 'parameters']) {
    if (shown[name] !== undefined) shown[name] = REDACTED
  }
  return shown
}

function members(
  entries: readonly (readonly [string, unknown])[],
  of: object,
  inner: (item: unknown) => unknown,
): Record<string, unknown> {
  const isJwk = 'kty' in of
  const isOauth = entries.some(([name]) => OAUTH_MEMBERS.includes(name))
  // A null prototype: a member called `__proto__` stays a member.
  const out: Record<string, unknown> = Object.create(null)
  for (const [name, item] of entries) {
    const hidden =
      isSecretName(name) ||
      (isOauth && name === 'code' && !isReasonCode(item)) ||
      (isJwk && PRIVATE_JWK_MEMBERS.has(name))
    out[redactText(name)] = hidden && item !== undefined && item !== null ? REDACTED : inner(item)
  }
  return { ...out }
}

/** The reason of a refusal also stands in `code`, beside `clientId`; no authorization code is one. */
function isReasonCode(item: unknown): boolean {
  return typeof item === 'string' && titleOf(item) !== undefined
}

/** Header lists and form fields come as `[name, value]` pairs. */
function pairs(list: readonly unknown[]): boolean {
  return list.length === 2 && typeof list[0] === 'string' && isSecretName(list[0])
}
function pair(inner: (item: unknown) => unknown) {
  return (item: unknown, index: number) => (index === 0 ? inner(item) : REDACTED)
}
