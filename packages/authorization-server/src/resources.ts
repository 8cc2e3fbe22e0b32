import { invalidTarget } from './engine-errors.ts'
import { kindOfScopes, type ResourceKind } from './token/grant-scopes.ts'

/** A scope that an API names for itself. */
export interface ApiScope {
  readonly scope: string
  /** What it permits, in the words of the API, for the page of consent. */
  readonly title?: string
}

/** An API that tokens are issued for. */
export interface ProtectedResource {
  /** The audience of its tokens: the base URL, without a final slash. */
  readonly url: string
  readonly kind: ResourceKind
  /** Of kind `api`: the scopes that it asks for. */
  readonly scopes?: readonly ApiScope[]
}

/** Every scope that an API has named, of all APIs. */
export function apiScopesOf(resources: readonly ProtectedResource[]): readonly string[] {
  return [...new Set(resources.flatMap(({ scopes = [] }) => scopes.map(({ scope }) => scope)))]
}

/**
 * The API that a request without `resource` (or `aud`) is for: the only one of the kind that its
 * scopes belong to; or the only one that has named one of them. `undefined` if that does not say.
 */
export function defaultResource(
  scopes: string,
  resources: readonly ProtectedResource[],
): ProtectedResource | undefined {
  const known = kindOfScopes(scopes)
  const [named, ...others] = known === undefined ? resourcesNaming(scopes, resources) : []
  if (named !== undefined) return others.length === 0 ? named : undefined
  const kind = known ?? 'fhir'
  const [only, ...more] = resources.filter((resource) => resource.kind === kind)
  return more.length === 0 ? only : undefined
}

/** The APIs that have named one of the scopes. */
function resourcesNaming(
  scopes: string,
  resources: readonly ProtectedResource[],
): readonly ProtectedResource[] {
  const asked = new Set(scopes.split(' '))
  return resources.filter((each) => each.scopes?.some(({ scope }) => asked.has(scope)))
}

/** @throws invalid_target, naming the resources there are. */
export function findResource(
  url: string,
  resources: readonly ProtectedResource[],
): ProtectedResource {
  const plain = withoutFinalSlash(url)
  const found = resources.find((resource) => withoutFinalSlash(resource.url) === plain)
  if (found !== undefined) return found
  const expected = resources.map((resource) => resource.url).join(' or ')
  throw invalidTarget(`unknown resource: expected ${expected}`, {
    code: 'resource_unknown',
    expected,
    got: url.slice(0, 200),
    told: `unknown resource: expected ${expected}; or leave resource and aud out`,
  })
}

export function withoutFinalSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}

/** What an API says that its scope permits; `undefined` if none has named it, or said it. */
export function apiScopeTitle(
  scope: string,
  resources: readonly ProtectedResource[],
): string | undefined {
  for (const { scopes = [] } of resources) {
    const found = scopes.find((each) => each.scope === scope)
    if (found !== undefined) return found.title ?? scope
  }
  return undefined
}
