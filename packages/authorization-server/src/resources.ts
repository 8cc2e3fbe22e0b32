import { invalidTarget } from './engine-errors.ts'
import { kindOfScopes, type ResourceKind } from './token/grant-scopes.ts'

/** An API that tokens are issued for. */
export interface ProtectedResource {
  /** The audience of its tokens: the base URL, without a final slash. */
  readonly url: string
  readonly kind: ResourceKind
}

/**
 * The API that a request without `resource` (or `aud`) is for: the only one of the kind that its
 * scopes belong to. `undefined` if that does not say.
 */
export function defaultResource(
  scopes: string,
  resources: readonly ProtectedResource[],
): ProtectedResource | undefined {
  const kind = kindOfScopes(scopes) ?? 'fhir'
  const [only, ...more] = resources.filter((resource) => resource.kind === kind)
  return more.length === 0 ? only : undefined
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
