/**
 * Where a member of the user comes from: a claim's name (`employeeId`, `https://example.org/role`),
 * a JSON pointer (`/realm_access/roles`, RFC 6901), or a template (`Practitioner/{employeeId}`) whose
 * braces hold either.
 */
export type ClaimSource = string

/** Which claims make a user. A member that is not mapped, or whose claim is missing, is absent. */
export interface ClaimMapping {
  readonly username?: ClaimSource
  readonly name?: ClaimSource
  readonly email?: ClaimSource
  /** The claim must be one that people cannot change themselves. */
  readonly fhirUser?: ClaimSource
  readonly roles?: RoleMapping
}

/** Roles as the claim has them, or only those that `values` translates. */
export type RoleMapping =
  | ClaimSource
  | { readonly from: ClaimSource; readonly values: Readonly<Record<string, string>> }

/** A user as the provider describes one: checked in form, and no more than that. */
export interface UpstreamClaims {
  readonly username?: string
  readonly name?: string
  /** Only an address that the provider vouches for. Never a key to an account. */
  readonly email?: string
  /** `Practitioner/1`, or an absolute URL that ends so. */
  readonly fhirUser?: string
  readonly roles: readonly string[]
}

type Claims = Readonly<Record<string, unknown>>

/** The value of a claim by name or pointer; `undefined` when there is none. */
export function readClaim(source: ClaimSource, claims: Claims): unknown {
  if (!source.startsWith('/')) return own(claims, source)
  return source
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, step) => own(value, step), claims)
}

/** Own members only: `constructor` is not a claim. */
function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}

const BRACES = /\{([^{}]*)\}/g

/** Claims (by name or pointer) that a source reads. */
export function claimsOf(source: ClaimSource): readonly string[] {
  if (!source.includes('{')) return [source]
  return [...source.matchAll(BRACES)].map(([, name = '']) => name)
}

/**
 * Fills a source with text. Every value must be a string or an integer and pass `accepts`, which
 * judges the parts of a template one by one: what a claim holds never reaches past its braces.
 */
export function readText(
  source: ClaimSource,
  claims: Claims,
  accepts: (value: string) => boolean,
): { readonly text?: string; readonly problem?: string } {
  const problems: string[] = []
  const part = (name: string, judged: boolean): string => {
    const value = readClaim(name, claims)
    const text = Number.isSafeInteger(value) ? String(value) : value
    if (text === undefined || text === null || text === '') problems.push('')
    else if (typeof text !== 'string') problems.push(`claim \`${name}\` is no text`)
    else if (judged && !accepts(text)) problems.push(`claim \`${name}\` does not fit`)
    else return text
    return ''
  }
  const isTemplate = source.includes('{')
  const text = isTemplate
    ? source.replaceAll(BRACES, (_, name: string) => part(name, true))
    : part(source, false)
  const problem = problems.find((entry) => entry !== '')
  if (problem !== undefined) return { problem }
  return problems.length > 0 ? {} : { text }
}

/** Why a source cannot be right, for the configuration; `undefined` if it can. */
export function findSourceProblem(source: ClaimSource): string | undefined {
  if (source.trim() === '') return 'is empty'
  if (source.replaceAll(BRACES, '').match(/[{}]/)) return 'has a brace without its partner'
  if (claimsOf(source).some((name) => name.trim() === '')) return 'has empty braces'
  if (/^\/.*~(?![01])/.test(source)) return 'has a `~` that is neither `~0` nor `~1`'
  return undefined
}
