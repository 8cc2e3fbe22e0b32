import { redactApiPath } from '@scopegate/audit'
import { type AnyCheck, type ApiCheck, failedApi } from '@scopegate/checks'
import type { ApiRoute } from './api.ts'
import type { ApiCaller } from './api-caller.ts'
import type { ApiCall, Refusal } from './call.ts'
import type { RouteMatch } from './route-table.ts'

/** Refusal for a request that no route is for; `undefined` if one is. */
export function refuseRoute(
  match: RouteMatch,
  { method, path }: Pick<ApiCall, 'method' | 'path'>,
): Refusal | undefined {
  if (match.kind === 'route') return undefined
  if (match.kind === 'absent') {
    return { checks: [failedApi('route_absent', { got: redactApiPath(path) })] }
  }
  const allow = match.allow.includes('GET') ? [...match.allow, 'HEAD'] : match.allow
  const expected = [...new Set(allow)].join(', ')
  return {
    checks: [failedApi('method_not_declared', { expected, got: method })],
    headers: { Allow: expected },
  }
}

/**
 * Whether the caller may use the route: the scopes that the API and the route need, all of them,
 * and one of the roles. `undefined` if it may.
 */
export function refuseCaller(
  caller: ApiCaller,
  route: ApiRoute,
  requiredScopes: readonly string[],
): Refusal | undefined {
  const { scopes, roles } = caller
  if (!mayUse(scopes, route, requiredScopes)) {
    const sets = scopeSets(route, requiredScopes)
    const got = scopes.size === 0 ? 'none' : [...scopes].join(' ')
    const expected = inWords(sets)
    return {
      checks: [routePassed(route), failedApi('api_scope_missing', { expected, got })],
      scope: nearest(sets, scopes).join(' '),
    }
  }
  if (route.roles.length > 0 && !route.roles.some((role) => roles.has(role))) {
    const got = roles.size === 0 ? 'none' : [...roles].join(', ')
    return {
      checks: [
        routePassed(route),
        ...scopesPassed(route, requiredScopes),
        failedApi('role_missing', { expected: route.roles.join(', '), got }),
      ],
    }
  }
  return undefined
}

/** What a permitted request has passed, for its trace. */
export function passedChecks(
  { checks, route }: Pick<ApiCall, 'checks' | 'route'>,
  requiredScopes: readonly string[],
): readonly AnyCheck[] {
  if (route === undefined) return checks
  if (route.public) return [{ name: 'route', outcome: 'pass', got: `${route.path}, public` }]
  const roles: ApiCheck[] =
    route.roles.length === 0
      ? []
      : [{ name: 'roles', outcome: 'pass', expected: route.roles.join(', ') }]
  return [...checks, routePassed(route), ...scopesPassed(route, requiredScopes), ...roles]
}

function routePassed(route: ApiRoute): ApiCheck {
  return { name: 'route', outcome: 'pass', got: route.path }
}

function scopesPassed(route: ApiRoute, requiredScopes: readonly string[]): readonly ApiCheck[] {
  const expected = inWords(scopeSets(route, requiredScopes)) || 'none'
  return [{ name: 'scopes', outcome: 'pass', expected }]
}

/** Each of these would do, held whole. */
export function scopeSets(
  { scopes, anyOf = [] }: ApiRoute,
  requiredScopes: readonly string[],
): readonly (readonly string[])[] {
  const common = [...requiredScopes, ...scopes]
  return (anyOf.length === 0 ? [[]] : anyOf).map((set) => [...new Set([...common, ...set])])
}

function mayUse(
  held: ReadonlySet<string>,
  { scopes, anyOf = [] }: ApiRoute,
  requiredScopes: readonly string[],
): boolean {
  if (!hasAll(held, requiredScopes) || !hasAll(held, scopes)) return false
  return anyOf.length === 0 || anyOf.some((set) => hasAll(held, set))
}

/** The set of which the least is missing: a client asks for one, not for all of them. */
function nearest(
  sets: readonly (readonly string[])[],
  held: ReadonlySet<string>,
): readonly string[] {
  const missing = (set: readonly string[]) => set.filter((scope) => !held.has(scope)).length
  return sets.reduce((best, set) => (missing(set) < missing(best) ? set : best))
}

function inWords(sets: readonly (readonly string[])[]): string {
  return sets.map((set) => set.join(' ')).join(' or ')
}

function hasAll(held: ReadonlySet<string>, needed: readonly string[]): boolean {
  for (const each of needed) if (!held.has(each)) return false
  return true
}
