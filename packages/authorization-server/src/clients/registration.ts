import { ADMIN_SCOPES } from '@scopegate/oauth-model'
import { parseScope } from '@scopegate/smart-scopes'
import { type NetworkPolicy, parseKeySet, refuseUrl } from '@scopegate/token-verify'
import { GRANT_TYPES, type GrantType } from './client.ts'

/** What a client is registered with. */
export interface ClientRegistration {
  readonly name: string
  /** Space-separated: the most it may be granted. */
  readonly scopes: string
  readonly grants: readonly string[]
  /** Public keys for `private_key_jwt`; without them the client gets a secret. */
  readonly jwks?: unknown
  readonly jwksUri?: string
}

export interface RegistrationProblem {
  readonly member: string
  readonly why: string
  readonly fix: string
}

/** A registration that cannot stand; every problem at once. */
export class RegistrationRefused extends Error {
  override readonly name = 'RegistrationRefused'
  readonly problems: readonly RegistrationProblem[]

  constructor(problems: readonly RegistrationProblem[]) {
    super(problems.map(({ member, why, fix }) => `${member}: ${why}; ${fix}`).join('\n'))
    this.problems = problems
  }
}

/** A registration that was found good. */
export interface CheckedRegistration {
  readonly name: string
  readonly scopes: string
  readonly grants: readonly GrantType[]
  readonly jwks?: { readonly keys: readonly object[] }
  readonly jwksUri?: string
}

/** Judges a registration as a whole; `checked` is missing if there are problems. */
export function checkRegistration(
  registration: ClientRegistration,
  network: NetworkPolicy,
): {
  readonly problems: readonly RegistrationProblem[]
  readonly checked?: CheckedRegistration
} {
  const problems: RegistrationProblem[] = []
  const add = (member: string, why: string, fix: string) => problems.push({ member, why, fix })
  const { name, scopes, grants, jwks, jwksUri } = registration

  if (typeof name !== 'string' || name.trim() === '' || name.length > 200) {
    add('name', 'missing, or longer than 200 characters', 'give the client a name')
  }
  if (grants.length === 0) add('grants', 'none given', `choose from ${GRANT_TYPES.join(', ')}`)
  for (const grant of grants) {
    if (!(GRANT_TYPES as readonly string[]).includes(grant)) {
      add('grants', `\`${grant}\` is not supported`, `choose from ${GRANT_TYPES.join(', ')}`)
    }
  }
  const texts = scopes.split(' ').filter((text) => text !== '')
  if (texts.length === 0) add('scopes', 'none given', 'name at least one scope')
  for (const text of texts) {
    const problem = scopeProblem(text)
    if (problem !== undefined) add('scopes', `\`${text}\`: ${problem.why}`, problem.fix)
  }
  if (jwks !== undefined && jwksUri !== undefined) {
    add('jwks', 'given together with jwksUri', 'give one of them')
  }
  if (jwks !== undefined) {
    const parsed = parseKeySet(jwks)
    if (!parsed.ok) add('jwks', parsed.problem, 'give a JWK Set of public keys')
    else if (parsed.keys.length === 0) add('jwks', 'no key in it can verify', 'give a signing key')
    else if (parsed.keys.some(({ kid }) => kid === undefined)) {
      add('jwks', 'a key has no `kid`', 'give every key a `kid`, and name it in the assertions')
    }
  }
  if (jwksUri !== undefined) {
    const url = URL.parse(jwksUri)
    const refused = url === null ? 'not a URL' : refuseUrl(url, network)
    if (refused !== undefined) add('jwksUri', refused, 'give an https URL that this server reaches')
  }
  if (problems.length > 0) return { problems }
  const checked = {
    name: name.trim(),
    scopes: texts.join(' '),
    grants: grants as GrantType[],
    ...(jwks === undefined ? {} : { jwks: jwks as { keys: object[] } }),
    ...(jwksUri === undefined ? {} : { jwksUri }),
  }
  return { problems, checked }
}

/** What keeps one scope from being registered for a client of client credentials, if anything does. */
export function scopeProblem(text: string): { why: string; fix: string } | undefined {
  const parsed = parseScope(text)
  if (!parsed.ok) return { why: parsed.problem.message, fix: parsed.problem.fix }
  const { scope } = parsed
  if (scope.kind === 'resource') {
    if (scope.context === 'system') return undefined
    return {
      why: `${scope.context}/ scopes act for a signed-in user, and client credentials have none`,
      fix: `register \`system/${text.slice(text.indexOf('/') + 1)}\` instead`,
    }
  }
  if ((ADMIN_SCOPES as readonly string[]).includes(scope.value)) return undefined
  return {
    why: 'not a scope that this server knows',
    fix: `use SMART scopes such as \`system/Observation.rs\`, or one of ${ADMIN_SCOPES.join(' ')}`,
  }
}
