import { ADMIN_SCOPES, INTROSPECT_SCOPE } from '@scopegate/oauth-model'
import { formatScope, meet, parseScopes, type Scope } from '@scopegate/smart-scopes'
import { remember } from './remember.ts'

/** What kind of API a scope is for. */
export type ResourceKind = 'fhir' | 'admin' | 'api'

/** Scopes that APIs name for themselves, each list with spaces between. */
export interface NamedScopes {
  /** Of the API that the request is for. */
  readonly own: string
  /** Of all APIs. */
  readonly all: string
}

const NONE_NAMED: NamedScopes = { own: '', all: '' }

/** A scope that was asked for and is not granted, or not as asked. */
export interface ScopeRemark {
  readonly scope: string
  readonly code:
    | 'scope_not_evaluable'
    | 'scope_needs_user'
    | 'openid_without_user'
    | 'scope_needs_program'
    | 'scope_needs_context'
    | 'scope_not_registered'
    | 'scope_unknown'
    | 'scope_of_other_resource'
    | 'scope_narrowed'
  readonly reason: string
  readonly fix: string
  /** What is granted in its place, if anything. */
  readonly granted?: string
}

/** What `openid` means by client credentials. `issue`: it is echoed. */
export type OpenidHandling = 'reject' | 'ignore' | 'issue'

export interface ScopeGrant {
  readonly granted: readonly string[]
  readonly remarks: readonly ScopeRemark[]
}

const NEEDS_USER = new Set([
  'openid',
  'profile',
  'email',
  'fhirUser',
  'launch',
  'launch/patient',
  'launch/encounter',
  'offline_access',
  'online_access',
])

/**
 * What a client gets by client credentials: requested ⊓ registered, judged on what the scopes
 * mean. What cannot be granted is left out with the reason. No request means everything that the
 * client is registered for, on the API it asks for.
 *
 * @see RFC 6749 §3.3: a server that is not asked for a scope uses a documented default
 */
export function grantScopes(
  requested: string | undefined,
  registered: string,
  kind: ResourceKind,
  openid: OpenidHandling = 'ignore',
  { own, all }: NamedScopes = NONE_NAMED,
): ScopeGrant {
  return requested === undefined
    ? grantRegistered(registered, kind, own, all)
    : grantRequested(requested, registered, kind, openid, own, all)
}

const MAX_GRANTS = 2000
const grantRegistered = remember(MAX_GRANTS, (registered, kind, own, all) =>
  judge(undefined, registered, kind as ResourceKind, { own, all }),
)
const grantRequested = remember(MAX_GRANTS, (requested, registered, kind, openid, own, all) => {
  const grant = judge(requested, registered, kind as ResourceKind, { own, all })
  return handleOpenid(grant, openid as OpenidHandling)
})

/**
 * `openid` signs a user in, and client credentials have none. Some libraries send it all the same,
 * and some want it echoed; an ID token is never issued.
 */
function handleOpenid(grant: ScopeGrant, handling: OpenidHandling): ScopeGrant {
  const { granted, remarks } = grant
  const isOpenid = ({ scope }: ScopeRemark) => scope === 'openid'
  if (handling === 'ignore' || !remarks.some(isOpenid)) return grant
  if (handling === 'issue' && granted.length > 0) {
    return { granted: ['openid', ...granted], remarks: remarks.filter((each) => !isOpenid(each)) }
  }
  return {
    granted,
    remarks: remarks.map((each) =>
      isOpenid(each) && handling === 'reject' ? { ...each, code: 'openid_without_user' } : each,
    ),
  }
}

function judge(
  requested: string | undefined,
  registered: string,
  kind: ResourceKind,
  named: NamedScopes,
): ScopeGrant {
  const own = new Set(named.own.split(' '))
  const all = new Set(named.all.split(' '))
  const remarks: ScopeRemark[] = []
  const allowed = parseScopes(registered).scopes
  const asked = parseScopes(requested ?? registered)
  const remark = (
    scope: string,
    code: ScopeRemark['code'],
    reason: string,
    fix: string,
    granted?: string,
  ) => remarks.push({ scope, code, reason, fix, ...(granted === undefined ? {} : { granted }) })

  for (const { text, problem } of asked.problems) {
    remark(text, 'scope_not_evaluable', problem.message, problem.fix)
  }

  const usable: Scope[] = []
  for (const scope of asked.scopes) {
    const text = formatScope(scope)
    const isOwn = scope.kind !== 'resource' && own.has(scope.value)
    const isOfOtherApi = scope.kind !== 'resource' && !isOwn && all.has(scope.value)
    const scopeKind = isOfAnyApi(scope) || isOwn ? kind : isOfOtherApi ? 'api' : kindOf(scope)
    if (needsUser(scope)) {
      remark(
        text,
        'scope_needs_user',
        'it acts for a signed-in user, and client credentials have none',
        scope.kind === 'resource'
          ? `ask for system/${text.slice(text.indexOf('/') + 1)}, or sign a user in`
          : 'leave it out, or sign a user in',
      )
    } else if (scopeKind === undefined) {
      remark(text, 'scope_unknown', 'this server has no such scope', 'see scopes_supported')
    } else if (scopeKind === kind && !isOfOtherApi) {
      usable.push(scope)
    } else if (requested !== undefined) {
      remark(
        text,
        'scope_of_other_resource',
        `it belongs to ${API_WORDS[scopeKind]}, and a token is for one API`,
        'ask for it in a request of its own, with `resource` set to that API',
      )
    }
  }

  const met = meet(usable, allowed)
  for (const scope of met.refused) {
    remark(
      formatScope(scope),
      'scope_not_registered',
      'the client is not registered for it',
      `ask for scopes within: ${registered}`,
    )
  }
  for (const { requested: scope, granted } of met.narrowed) {
    remark(
      formatScope(scope),
      'scope_narrowed',
      'the client is registered for less',
      `ask for scopes within: ${registered}`,
      granted.map(formatScope).join(' '),
    )
  }
  return { granted: met.granted.map(formatScope), remarks }
}

const API_WORDS = {
  admin: 'the admin API',
  fhir: 'the FHIR endpoint',
  api: 'another API',
} as const satisfies Record<ResourceKind, string>

/** Which API the request is for, by its scopes; FHIR where both are asked for. */
export function kindOfScopes(scopes: string): ResourceKind | undefined {
  const kinds = kindsOf(scopes)
  if (kinds.includes('fhir')) return 'fhir'
  return kinds.includes('admin') ? 'admin' : undefined
}

const kindsOf = remember(MAX_GRANTS, (scopes) => parseScopes(scopes).scopes.map(kindOf))

/** It is about this server itself, and a token for any API may hold it. */
function isOfAnyApi(scope: Scope): boolean {
  return scope.kind !== 'resource' && scope.value === INTROSPECT_SCOPE
}

function kindOf(scope: Scope): ResourceKind | undefined {
  if (scope.kind === 'resource') return 'fhir'
  if ((ADMIN_SCOPES as readonly string[]).includes(scope.value)) return 'admin'
  return undefined
}

function needsUser(scope: Scope): boolean {
  return scope.kind === 'resource' ? scope.context !== 'system' : NEEDS_USER.has(scope.value)
}

/** Whether a request must fail for this remark, even if other scopes could be granted. */
export function isFatal({ code, scope }: ScopeRemark): boolean {
  if (code === 'openid_without_user') return true
  return code === 'scope_needs_user' && /^(?:user|patient)\//.test(scope)
}
