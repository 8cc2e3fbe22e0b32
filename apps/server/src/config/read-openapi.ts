import type { ApiRoute } from '@scopegate/api-gateway'
import { parseDocument } from 'yaml'
import type { Path } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'

/** What an OpenAPI description says about who may do what. */
export interface DescribedApi {
  readonly routes: readonly ApiRoute[]
  /** What its security schemes say of their scopes. */
  readonly scopes: ReadonlyMap<string, string>
}

type Json = Readonly<Record<string, unknown>>

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']
const NOTHING: DescribedApi = { routes: [], scopes: new Map() }

/**
 * Reads the operations of an OpenAPI 3 description as routes. Security requirements of the schemes
 * `oauth2` and `openIdConnect` become scopes, of several one is enough; `security: []` makes an
 * operation public; one without any is for every caller who is known. `servers` are not looked at: paths are below the upstream.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html#security-requirement-object
 */
export function readOpenApi(
  path: Path,
  name: string | undefined,
  reader: ReferenceReader,
): DescribedApi {
  if (name === undefined) return NOTHING
  const text = reader.file(path, name)
  if (text === '') return NOTHING
  const parsed = parseDocument(text, { prettyErrors: false })
  const document: unknown =
    parsed.errors.length > 0 ? undefined : parsed.toJS({ maxAliasCount: 100 })
  if (!isObject(document) || typeof document.openapi !== 'string' || !isObject(document.paths)) {
    reader.complain(path, `${name} is no OpenAPI 3 description`, {
      fix: 'it must be YAML or JSON with `openapi: 3.…` and `paths`',
    })
    return NOTHING
  }
  const schemes = schemesOf(document)
  const routes: ApiRoute[] = []
  const complain = (where: string, why: string, fix: string) =>
    reader.complain(path, `${name}: ${where}: ${why}`, { fix })

  for (const [template, item] of Object.entries(document.paths)) {
    if (!isObject(item)) continue
    if (!isMatchable(template)) {
      complain(template, 'a template that is part of a segment', 'declare the route under `routes`')
      continue
    }
    for (const method of METHODS) {
      const operation = item[method]
      if (!isObject(operation)) continue
      const needs = needsOf(operation.security ?? document.security, schemes)
      routes.push({ path: template, methods: [method.toUpperCase()], roles: [], ...needs })
    }
  }
  return { routes, scopes: scopeTexts(schemes) }
}

function schemesOf(document: Json): ReadonlyMap<string, Json> {
  const components = isObject(document.components) ? document.components : {}
  const schemes = isObject(components.securitySchemes) ? components.securitySchemes : {}
  return new Map(
    Object.entries(schemes).filter((entry): entry is [string, Json] => isObject(entry[1])),
  )
}

function needsOf(
  security: unknown,
  schemes: ReadonlyMap<string, Json>,
): Pick<ApiRoute, 'public' | 'scopes' | 'anyOf'> {
  if (!Array.isArray(security)) return { public: false, scopes: [] }
  const alternatives = security.filter(isObject)
  // `{}` among others: optional, so anonymous callers may, too. What it holds back is the API's.
  if (alternatives.length === 0 || alternatives.some((each) => Object.keys(each).length === 0)) {
    return { public: true, scopes: [] }
  }
  // An alternative that takes no token, such as a key, cannot be met here: it makes no token do that
  // another alternative asks more of.
  const withToken = alternatives.filter((each) =>
    Object.keys(each).some((scheme) => takesToken(schemes.get(scheme))),
  )
  if (withToken.length === 0) return { public: false, scopes: [] }
  const lists = withToken.map((each) =>
    Object.entries(each).flatMap(([scheme, scopes]) => {
      const type = schemes.get(scheme)?.type
      const hasScopes = type === 'oauth2' || type === 'openIdConnect'
      return hasScopes && Array.isArray(scopes) ? scopes.filter((s) => typeof s === 'string') : []
    }),
  )
  const sets = new Map(
    lists.map((list) => [[...new Set(list)].sort().join(' '), [...new Set(list)]]),
  )
  // Who needs nothing by one of them needs nothing: any token does.
  if (sets.has('')) return { public: false, scopes: [] }
  const [first = [], ...others] = sets.values()
  return others.length === 0
    ? { public: false, scopes: first }
    : { public: false, scopes: [], anyOf: [first, ...others] }
}

function takesToken(scheme: Json | undefined): boolean {
  const { type, scheme: name } = scheme ?? {}
  const isBearer = type === 'http' && String(name).toLowerCase() === 'bearer'
  return type === 'oauth2' || type === 'openIdConnect' || isBearer
}

function scopeTexts(schemes: ReadonlyMap<string, Json>): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { flows } of schemes.values()) {
    if (!isObject(flows)) continue
    for (const flow of Object.values(flows)) {
      if (!isObject(flow) || !isObject(flow.scopes)) continue
      for (const [scope, text] of Object.entries(flow.scopes)) {
        if (typeof text === 'string' && text.trim() !== '') texts.set(scope, text.trim())
      }
    }
  }
  return texts
}

/** Templates stand for whole segments. */
function isMatchable(path: string): boolean {
  return /^(?:\/(?:[^/{}*?#\s]*|\{[^/{}]+\}))+$/.test(path)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
