import type { ApiRoute } from './api.ts'

export type RouteMatch =
  | { readonly kind: 'route'; readonly route: ApiRoute }
  /** The path is known, the method is not. */
  | { readonly kind: 'method'; readonly allow: readonly string[] }
  | { readonly kind: 'absent' }

export interface RouteTable {
  readonly all: readonly ApiRoute[]
  /** @param path below the API, canonical: `/transfer` */
  match(method: string, path: string): RouteMatch
}

interface Node {
  readonly literals: Map<string, Node>
  /** `{id}` */
  any?: Node
  /** `*` at the end: this and everything below. */
  rest?: ApiRoute[]
  routes?: ApiRoute[]
}

const ABSENT: RouteMatch = Object.freeze({ kind: 'absent' })

/**
 * Finds the rule of a request. A literal segment goes before `{name}`, and that before `*`;
 * among rules of one path, the first that has the method. What fits no rule is absent.
 */
export function createRouteTable(routes: readonly ApiRoute[]): RouteTable {
  const root = makeNode()
  for (const route of routes) insert(root, route)
  const matches = new Map(
    routes.map((route): [ApiRoute, RouteMatch] => [route, Object.freeze({ kind: 'route', route })]),
  )

  return {
    all: routes,
    match(method, path) {
      const found: ApiRoute[][] = []
      collect(root, path, 0, found)
      let allow: string[] | undefined
      for (const candidates of found) {
        const route = candidates.find((each) => takes(each, method))
        if (route !== undefined) return matches.get(route)!
        allow ??= [...new Set(candidates.flatMap(({ methods }) => methods))]
      }
      return allow === undefined ? ABSENT : { kind: 'method', allow }
    },
  }
}

/** Whether a rule is for the method; a rule for GET is for HEAD too. */
function takes({ methods }: ApiRoute, method: string): boolean {
  return (
    methods.length === 0 ||
    methods.includes(method) ||
    (method === 'HEAD' && methods.includes('GET'))
  )
}

function insert(root: Node, route: ApiRoute): void {
  let node = root
  const segments = route.path.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    if (segment === '*' && index === segments.length - 1) {
      node.rest ??= []
      node.rest.push(route)
      return
    }
    if (/^\{[^}]*\}$/.test(segment)) {
      node.any ??= makeNode()
      node = node.any
    } else {
      let next = node.literals.get(segment)
      if (next === undefined) {
        next = makeNode()
        node.literals.set(segment, next)
      }
      node = next
    }
  }
  node.routes ??= []
  node.routes.push(route)
}

function makeNode(): Node {
  return { literals: new Map() }
}

/** The lists of rules that fit the path from `at` (a slash) on, most exact first. */
function collect(node: Node, path: string, at: number, found: ApiRoute[][]): void {
  if (at >= path.length) {
    if (node.routes !== undefined) found.push(node.routes)
    // `/public/*` is `/public` too.
    if (node.rest !== undefined) found.push(node.rest)
    return
  }
  const slash = path.indexOf('/', at + 1)
  const end = slash === -1 ? path.length : slash
  const segment = path.slice(at + 1, end)
  const literal = node.literals.get(segment)
  if (literal !== undefined) collect(literal, path, end, found)
  if (node.any !== undefined && segment !== '') collect(node.any, path, end, found)
  if (node.rest !== undefined) found.push(node.rest)
}
