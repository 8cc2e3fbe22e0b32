import {
  type ClaimTemplate,
  HEADER_MEMBERS,
  type HeaderMember,
  type KeySetView,
  type KeyView,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
  type SigningGrant,
} from '@scopegate/keys'
import { AdminProblem } from '../problem.ts'
import { textMember } from '../read-json.ts'

type Members = Record<string, unknown>

/** A set as the API shows it: what it has is public. */
export function keySetToWire(set: KeySetView) {
  return {
    name: set.name,
    source: set.source,
    algorithms: set.algorithms,
    ...(set.generated !== undefined && { generated: set.generated }),
    when_expired: set.whenExpired,
    created_at: set.createdAt,
    keys: set.keys.map(keyToWire),
    grants: set.grants.map(grantToWire),
    warnings: set.warnings.map(({ kind, message, fix }) => ({ kind, message, fix })),
  }
}

function keyToWire({ kid, state, publicJwk, certificate, publishedAt, retiredAt }: KeyView) {
  return {
    kid,
    state,
    public_jwk: publicJwk,
    published_at: publishedAt,
    ...(retiredAt !== undefined && { retired_at: retiredAt }),
    ...(certificate && {
      certificate: {
        subject: certificate.subject,
        issuer: certificate.issuer,
        not_before: certificate.notBefore,
        not_after: certificate.notAfter,
        x5t: certificate.x5t,
        'x5t#S256': certificate.x5tS256,
        pem: certificate.pem,
      },
    }),
  }
}

export function grantToWire(grant: SigningGrant) {
  const { holder, subjects, claims, algorithms, types, headers } = grant
  return {
    [holder.kind]: holder.name,
    source: grant.source,
    ...(grant.issuer !== undefined && { issuer: grant.issuer }),
    ...(subjects && { subject: subjects }),
    audience: grant.audiences,
    max_seconds: grant.maxSeconds,
    ...(claims && { claims }),
    ...(algorithms && { algorithms }),
    ...(types && { types }),
    ...(headers && { headers }),
  }
}

export const GRANT_MEMBERS = [
  'client',
  'role',
  'issuer',
  'subject',
  'audience',
  'max_seconds',
  'claims',
  'algorithms',
  'types',
  'headers',
]

/** Whom the grant is for, and what it allows. @throws {AdminProblem} 400 */
export function readGrant(members: Members) {
  const { client, role } = members
  if ((client === undefined) === (role === undefined)) {
    throw new AdminProblem(400, 'a grant is for one `client` or one `role`', 'name one of them')
  }
  const kind = client === undefined ? 'role' : 'client'
  const holder = { kind, name: textMember(members, kind) } as const
  const maxSeconds = members.max_seconds ?? 300
  if (typeof maxSeconds !== 'number') {
    throw new AdminProblem(400, '`max_seconds` must be a whole number')
  }
  const subjects = members.subject === undefined ? undefined : texts(members, 'subject')
  const claims = readClaims(members.claims)
  const algorithms = readAlgorithms(members)
  const types = members.types === undefined ? undefined : texts(members, 'types')
  const headers = members.headers === undefined ? undefined : texts(members, 'headers')
  const unknown = headers?.find((name) => !HEADER_MEMBERS.includes(name as HeaderMember))
  if (unknown !== undefined) {
    throw new AdminProblem(
      400,
      `\`headers\`: \`${unknown.slice(0, 50)}\` is none that a caller may ask for`,
      `use ${HEADER_MEMBERS.join(', ')}`,
    )
  }
  const template: ClaimTemplate = {
    ...(members.issuer !== undefined && { issuer: textMember(members, 'issuer') }),
    ...(subjects && { subjects }),
    audiences: texts(members, 'audience'),
    maxSeconds,
    ...(claims && { claims }),
    ...(algorithms && { algorithms }),
    ...(types && { types }),
    ...(headers && { headers: headers as readonly HeaderMember[] }),
  }
  return { holder, template }
}

export function readAlgorithms(members: Members): readonly SignatureAlgorithm[] | undefined {
  if (members.algorithms === undefined) return undefined
  const algorithms = texts(members, 'algorithms')
  const unknown = algorithms.find((alg) => !SIGNATURE_ALGORITHMS.includes(alg as never))
  if (unknown === undefined) return algorithms as readonly SignatureAlgorithm[]
  throw new AdminProblem(
    400,
    `\`algorithms\`: \`${unknown.slice(0, 50)}\` is none`,
    `use ${SIGNATURE_ALGORITHMS.join(', ')}`,
  )
}

function readClaims(value: unknown): ClaimTemplate['claims'] {
  if (value === undefined) return undefined
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isMap && Object.values(value).every((one) => one === 'any' || Array.isArray(one))) {
    return value as NonNullable<ClaimTemplate['claims']>
  }
  throw new AdminProblem(
    400,
    '`claims` must map names to "any" or to a list of values',
    'such as {"scope": "any", "tenant": ["a", "b"]}',
  )
}

/** One text, or a list of them. */
function texts(members: Members, name: string): readonly string[] {
  const value = members[name]
  const list = Array.isArray(value) ? value : [value]
  if (list.length > 0 && list.every((one) => typeof one === 'string' && one !== '')) return list
  throw new AdminProblem(400, `\`${name}\` must be text or a list of texts`)
}
