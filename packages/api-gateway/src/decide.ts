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
  if (!hasAll(scopes, requiredScopes) || !hasAll(scopes, route.scopes)) {
    const needed = neededScopes(route, requiredScopes).join(' ')
    const got = scopes.size === 0 ? 'none' : [...scopes].join(' ')
    return {
      checks: [routePassed(route), failedApi('api_scope_missing', { expected: needed, got })],
      scope: needed,
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
  const needed = neededScopes(route, requiredScopes)
  const expected = needed.length === 0 ? 'none' : needed.join(' ')
  return [{ name: 'scopes', outcome: 'pass', expected }]
}

function neededScopes(route: ApiRoute, requiredScopes: readonly string[]): readonly string[] {
  return [...new Set([...requiredScopes, ...route.scopes])]
}

function hasAll(held: ReadonlySet<string>, needed: readonly string[]): boolean {
  for (const each of needed) if (!held.has(each)) return false
  return true
}
