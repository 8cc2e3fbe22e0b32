/** Replaces secrets by their first characters wherever they stand. */
export interface Mask {
  /** From now on this text is shown by its first four characters only; of short ones by none. */
  add(secret: string): void
  apply(text: string): string
}

const SHOWN = 4
const LEAST = 12

export function createMask(): Mask {
  const secrets = new Map<string, string>()
  return {
    add(secret) {
      if (secret.length < 4) return
      const shown = secret.length < LEAST ? '…' : `${secret.slice(0, SHOWN)}…`
      for (const spelling of [secret, encodeURIComponent(secret), formEncode(secret)]) {
        secrets.set(spelling, shown)
      }
    },
    apply(text) {
      // The longest first: one secret may be part of another.
      const longest = [...secrets].sort(([a], [b]) => b.length - a.length)
      return longest.reduce((masked, [secret, shown]) => masked.replaceAll(secret, shown), text)
    },
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2)
}

/** Members of JSON that hold a secret whatever else is known of it. */
const SECRET_MEMBERS = [
  ...['access_token', 'refresh_token', 'id_token', 'client_secret', 'launch', 'device_code'],
  ...['registration_access_token', 'one_time_password', 'request_uri'],
]
/** Parameters of forms and queries; in JSON a `code` is what FHIR calls one. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  ...SECRET_MEMBERS,
  ...['code', 'code_verifier', 'client_assertion', 'password', 'csrf', 'token', 'id_token_hint'],
])

/** The secrets in a query or a form. */
export function secretsOfForm(params: URLSearchParams): readonly string[] {
  return [...params].flatMap(([name, value]) => (SECRET_PARAMETERS.has(name) ? [value] : []))
}

/** The secrets among the members of an answer. */
export function secretsOfJson(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'string'
      ? SECRET_MEMBERS.includes(name)
        ? [inner]
        : []
      : secretsOfJson(inner),
  )
}

/** The secrets in a header: credentials, cookies, and what an address carries. */
export function secretsOfHeader(name: string, value: string): readonly string[] {
  switch (name.toLowerCase()) {
    case 'authorization':
      return [value.slice(value.indexOf(' ') + 1)]
    case 'cookie':
      return value.split('; ').map((pair) => pair.slice(pair.indexOf('=') + 1))
    case 'set-cookie':
      return [value.slice(value.indexOf('=') + 1).split(';')[0]!]
    case 'location':
      return secretsOfForm(new URL(value, 'http://relative.invalid').searchParams)
    default:
      return []
  }
}
