import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '../key-signer.ts'

/** Header members of the certificate and the key set that a caller may ask for. */
export const HEADER_MEMBERS = ['x5t', 'x5t#S256', 'x5c', 'jku'] as const
export type HeaderMember = (typeof HEADER_MEMBERS)[number]

/** What one client or role may have signed with a key: permission to use it, not to see it. */
export interface ClaimTemplate {
  /** `iss`: put in; a caller may repeat it and say no other. Missing: none, unless `claims` allows it. */
  readonly issuer?: string
  /** `sub`: one is put in, of several the caller names one. Missing: none, unless `claims` allows it. */
  readonly subjects?: readonly string[]
  /** `aud`: of one it is put in, of several the caller names one or more. */
  readonly audiences: readonly string[]
  /** The longest from now to `exp`. */
  readonly maxSeconds: number
  /** Other claims that the caller may set: to any value, or to one of these. */
  readonly claims?: Readonly<Record<string, 'any' | readonly unknown[]>>
  /** Default: the usual one of the key. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /** Values of `typ`, the usual one first. Default: `JWT`. */
  readonly types?: readonly string[]
  /** Default: all but `jku`. */
  readonly headers?: readonly HeaderMember[]
}

export interface GrantHolder {
  readonly kind: 'client' | 'role'
  readonly name: string
}

export interface SigningGrant extends ClaimTemplate {
  readonly holder: GrantHolder
  /** `config`: declared in the configuration, read-only elsewhere. */
  readonly source: 'config' | 'stored'
}

/** Half a year: the longest that any provider takes. */
export const MAX_SIGNED_SECONDS = 180 * 86_400

export const DEFAULT_HEADERS: readonly HeaderMember[] = ['x5t', 'x5t#S256', 'x5c']

/** Set by this server, or by members of their own. */
const MEMBERS_OF_THEIR_OWN: Readonly<Record<string, string>> = {
  aud: 'audiences',
  exp: 'maxSeconds',
}

export interface GrantProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly fix?: string
}

/**
 * What is wrong with a template, judged beside the algorithms of its key.
 *
 * @param algorithms those of the key; missing where it is not known yet
 */
export function findGrantProblems(
  template: ClaimTemplate,
  algorithms?: readonly SignatureAlgorithm[],
): readonly GrantProblem[] {
  const problems: GrantProblem[] = []
  const complain = (path: GrantProblem['path'], message: string, fix?: string) =>
    problems.push({ path, message, ...(fix === undefined ? {} : { fix }) })
  const { audiences, maxSeconds, claims = {}, issuer, subjects } = template
  if (audiences.length === 0 || audiences.some((one) => one === '' || one === '*')) {
    complain(
      ['audiences'],
      'must name who the tokens are for, one by one',
      'such as the token endpoint of the provider',
    )
  }
  if (!(Number.isInteger(maxSeconds) && maxSeconds >= 1 && maxSeconds <= MAX_SIGNED_SECONDS)) {
    complain(['maxSeconds'], `must be a whole number from 1 to ${MAX_SIGNED_SECONDS}`)
  }
  for (const name of Object.keys(claims)) {
    const member = Object.hasOwn(MEMBERS_OF_THEIR_OWN, name)
      ? MEMBERS_OF_THEIR_OWN[name]
      : undefined
    if (member !== undefined) complain(['claims', name], `is decided by \`${member}\``)
  }
  if (issuer !== undefined && Object.hasOwn(claims, 'iss')) {
    complain(['claims', 'iss'], 'is fixed by `issuer`', 'remove one of them')
  }
  if (subjects !== undefined && Object.hasOwn(claims, 'sub')) {
    complain(['claims', 'sub'], 'is fixed by `subject`', 'remove one of them')
  }
  if (subjects?.length === 0) complain(['subject'], 'must not be an empty list', 'leave it out')
  for (const [index, alg] of (template.algorithms ?? []).entries()) {
    if (!SIGNATURE_ALGORITHMS.includes(alg)) {
      complain(['algorithms', index], 'is none', `use ${SIGNATURE_ALGORITHMS.join(', ')}`)
    } else if (algorithms !== undefined && !algorithms.includes(alg)) {
      complain(
        ['algorithms', index],
        `is not among those of the key: ${algorithms.join(', ')}`,
        'name it for the key first (`--alg`)',
      )
    }
  }
  return problems
}
