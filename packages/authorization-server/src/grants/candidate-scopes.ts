import { ADMIN_SCOPES } from '@scopegate/oauth-model'
import {
  covers,
  formatScope,
  meet,
  parseScope,
  parseScopes,
  type Scope,
} from '@scopegate/smart-scopes'
import { USER_SCOPES } from '../clients/registrable-scope.ts'
import type { ProtectedResource } from '../resources.ts'
import type { ScopeRemark } from '../token/grant-scopes.ts'

export interface CandidateScopes {
  /** What the user may allow, in the order of the request, each once. */
  readonly candidates: readonly string[]
  /** What was asked for and cannot be allowed, or not as asked. */
  readonly remarks: readonly ScopeRemark[]
}

/**
 * What a client may be given by a user: requested ⊓ registered, judged on what the scopes mean. A
 * scope keeps the spelling of the request if nothing was taken from it. Says nothing of what the
 * user may do, nor of the launch context: see {@link withContext}.
 *
 * @see reference: intersection at grant time
 */
export function candidateScopes(request: {
  /** Space-separated, as it came. */
  readonly requested: string
  readonly client: { readonly scopes: string }
  /** Missing: not known yet. */
  readonly user?: { readonly fhirUser?: string | undefined }
  /** The API that the tokens are for; a FHIR endpoint where it is missing. */
  readonly resource?: ProtectedResource
}): CandidateScopes {
  const { requested, client, user, resource } = request
  const allowed = parseScopes(client.scopes).scopes
  const asked = parseScopes(requested)
  const remarks: ScopeRemark[] = asked.problems.map(({ text, problem }) => ({
    scope: text,
    code: 'scope_not_evaluable',
    reason: problem.message,
    fix: problem.fix,
  }))
  const candidates = new Set<string>()
  for (const scope of asked.scopes) {
    const text = formatScope(scope)
    const unfit = unfitReason(scope, user, resource)
    if (unfit !== undefined) {
      remarks.push({ scope: text, ...unfit })
      continue
    }
    const { granted, narrowed } = meet([scope], allowed)
    const texts = granted.map(formatScope)
    for (const each of texts) candidates.add(each)
    const fix = `ask for scopes within: ${client.scopes}`
    if (texts.length === 0) {
      const reason = 'the client is not registered for it'
      remarks.push({ scope: text, code: 'scope_not_registered', reason, fix })
    } else if (narrowed.length > 0) {
      const reason = 'the client is registered for less'
      const granted = texts.join(' ')
      remarks.push({ scope: text, code: 'scope_narrowed', reason, fix, granted })
    }
  }
  return { candidates: [...candidates], remarks }
}

function unfitReason(
  scope: Scope,
  user: { readonly fhirUser?: string | undefined } | undefined,
  resource: ProtectedResource | undefined,
): Omit<ScopeRemark, 'scope'> | undefined {
  if (resource?.kind === 'api') {
    const isOwn =
      scope.kind === 'plain' && resource.scopes?.some((own) => own.scope === scope.value)
    if (isOwn) return undefined
    const isOfFhir = scope.kind === 'resource' || /^launch(?:\/|$)/.test(scope.value)
    if (isOfFhir) return OF_OTHER_API
  }
  if (scope.kind === 'resource') {
    if (scope.context !== 'system') return undefined
    return {
      code: 'scope_needs_program',
      reason: 'it acts for the client itself, and here a user signs in',
      fix: 'ask for `user/` or `patient/` scopes, or use client credentials',
    }
  }
  if ((ADMIN_SCOPES as readonly string[]).includes(scope.value)) {
    return {
      code: 'scope_needs_program',
      reason: 'it belongs to the admin API, which programs use by client credentials',
      fix: 'leave it out',
    }
  }
  if (!(USER_SCOPES as readonly string[]).includes(scope.value)) {
    return {
      code: 'scope_unknown',
      reason: 'this server has no such scope',
      fix: 'see scopes_supported',
    }
  }
  if (scope.value === 'fhirUser' && user !== undefined && user.fhirUser === undefined) {
    return {
      code: 'scope_needs_context',
      reason: 'the user is no person in the FHIR data',
      fix: 'set `fhirUser` of the user',
    }
  }
  return undefined
}

const OF_OTHER_API = {
  code: 'scope_of_other_resource',
  reason: 'it belongs to the FHIR endpoint, and a token is for one API',
  fix: 'ask for it in a request of its own, with `aud` set to the FHIR endpoint',
} as const

/**
 * What a user allowed of the candidates. `selected` holds candidates, and scopes within one of them
 * that take its place (the categories of a resource); anything else is left out.
 */
export function narrow(
  candidates: readonly string[],
  selected: readonly string[],
): readonly string[] {
  const wide = parseScopes(candidates.join(' ')).scopes
  const isWithin = (text: string) => {
    if (candidates.includes(text)) return true
    const parsed = parseScope(text)
    return parsed.ok && wide.some((scope) => covers(scope, parsed.scope))
  }
  return [...new Set(selected)].filter(isWithin)
}

/**
 * The scopes that make sense with this context: without a patient there are no `patient/` scopes,
 * and what was not established is not echoed.
 *
 * @see SMART 2.2: "if a `patient/` scope is granted, a patient context SHALL be established"
 */
export function withContext(
  scopes: readonly string[],
  context: { readonly patient?: string | undefined; readonly encounter?: string | undefined },
): readonly string[] {
  return scopes.filter((text) => {
    if (text.startsWith('patient/') || text === 'launch/patient') {
      return context.patient !== undefined
    }
    return text !== 'launch/encounter' || context.encounter !== undefined
  })
}
