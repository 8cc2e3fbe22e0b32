import { type ApiDeclaration, scopesOf } from '@scopegate/api-gateway'
import { didYouMean } from './did-you-mean.ts'
import { readOpenApi } from './read-openapi.ts'
import type { Path } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'

/** An API as declared, with what its OpenAPI description says. */
export interface ConfiguredApi extends ApiDeclaration {
  readonly login: Settings['apis'][number]['auth']['login']
  /** Every scope that it asks for, and what it says of it. */
  readonly scopes: readonly { readonly scope: string; readonly title?: string }[]
}

/** What this server answers itself. */
const OWN_PATHS = [
  '/.well-known',
  '/account',
  '/admin',
  '/console',
  '/fhir',
  '/healthz',
  '/keys',
  '/metrics',
  '/oauth',
  '/out',
  '/portal',
  '/readyz',
]

/** Headers that HTTP or this server needs, and that cannot say who calls. */
const NOT_FOR_IDENTITY = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'origin',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
])

/** The APIs, ready to be compiled; what is wrong with them is reported. */
export function configuredApis(
  settings: Settings,
  reader: ReferenceReader,
): readonly ConfiguredApi[] {
  const { apis } = settings
  for (const [index, api] of apis.entries()) {
    checkPlace(settings, index, reader)
    checkTrust(settings, index, reader)
    checkForward(api, ['apis', index, 'forward'], reader)
    checkUpstreamToken(settings, index, reader)
  }
  return apis.map((api, index) => configuredApi(settings, api, index, reader))
}

function configuredApi(
  { server }: Settings,
  api: Settings['apis'][number],
  index: number,
  reader: ReferenceReader,
): ConfiguredApi {
  const { name, path, upstream, keepPath, auth, forward, maxBodyBytes, connections } = api
  const described = readOpenApi(['apis', index, 'openapi'], api.openapi, reader)
  const { login, trust, ...rest } = auth
  const own = server.url.replace(/\/+$/, '')
  const timeoutMs = api.timeoutSeconds * 1000
  const declaration: ApiDeclaration = {
    ...{ name, path, upstream, keepPath, origins: api.origins },
    auth: { ...rest, issuers: trust.map((each) => (each === 'self' ? own : each)) },
    routes: [...api.routes, ...described.routes],
    forward: {
      headers: forward.headers,
      authorization: forward.authorization,
      ...(forward.jwt && { jwt: forward.jwt }),
      ...(forward.token && { token: forward.token }),
    },
    limits: {
      bodyBytes: maxBodyBytes,
      connections,
      bodyBytesPerSecond: api.minBodyBytesPerSecond,
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: timeoutMs,
    },
  }
  const told = new Map([...described.scopes, ...Object.entries(api.scopes)])
  const all = new Set([...scopesOf(declaration), ...Object.keys(api.scopes)])
  return {
    ...declaration,
    login,
    scopes: [...all].map((scope) => {
      const title = told.get(scope)
      return title ? { scope, title } : { scope }
    }),
  }
}

/** Its path is its own, and its name. */
function checkPlace({ apis, fhir }: Settings, index: number, reader: ReferenceReader): void {
  const { name, path } = apis[index]!
  const at = ['apis', index] as const
  const own = [...OWN_PATHS, fhir.r4.path].find((each) => overlaps(path, each))
  if (own !== undefined) {
    reader.complain([...at, 'path'], `\`${own}\` is answered by this server itself`, {
      fix: 'choose another path',
    })
  }
  for (const key of ['path', 'name'] as const) {
    const value = key === 'path' ? path : name
    const first = apis.findIndex((each) => each[key] === value)
    if (first < index) {
      const other = apis[first]!.name
      const why =
        key === 'path' ? `\`${path}\` is where \`${other}\` is` : `\`${name}\` is there twice`
      reader.complain([...at, key], why, { fix: 'choose another' })
    }
  }
}

function checkTrust(settings: Settings, index: number, reader: ReferenceReader): void {
  const { auth } = settings.apis[index]!
  const known = ['self', ...settings.issuers.map(({ issuer }) => issuer)]
  for (const [at, trusted] of auth.trust.entries()) {
    if (known.includes(trusted)) continue
    const meant = didYouMean(trusted, known)
    reader.complain(['apis', index, 'auth', 'trust', at], `no such issuer: \`${trusted}\``, {
      fix: meant ? `did you mean \`${meant}\`?` : 'list it under `issuers`, or trust `self`',
    })
  }
  if (auth.mode === 'bearer') return
  const providers = ['self', ...settings.login.providers.map(({ name }) => name)]
  if (providers.includes(auth.login.provider)) return
  const meant = didYouMean(auth.login.provider, providers)
  const path: Path = ['apis', index, 'auth', 'login', 'provider']
  reader.complain(path, `no such provider: \`${auth.login.provider}\``, {
    fix: meant ? `did you mean \`${meant}\`?` : 'list it under `login.providers`, or use `self`',
  })
}

/** The connection whose token the upstream gets is there, and nothing else goes in its place. */
function checkUpstreamToken(
  { apis, connections }: Settings,
  index: number,
  reader: ReferenceReader,
): void {
  const { token, authorization } = apis[index]!.forward
  if (token === undefined) return
  const at = ['apis', index, 'forward'] as const
  const known = connections.map(({ name }) => name)
  if (!known.includes(token.connection)) {
    const meant = didYouMean(token.connection, known)
    const path: Path = [...at, 'token', 'connection']
    reader.complain(path, `no such connection: \`${token.connection}\``, {
      fix: meant ? `did you mean \`${meant}\`?` : 'list it under `connections`',
    })
  }
  if (authorization === 'keep') {
    reader.complain(
      [...at, 'authorization'],
      '`keep` together with `token`: the upstream gets one',
      {
        fix: 'remove `authorization`, or remove `token`',
      },
    )
  }
}

function checkForward(
  { forward, auth }: Settings['apis'][number],
  at: Path,
  reader: ReferenceReader,
): void {
  const names = Object.keys(forward.headers)
  const all = forward.jwt === undefined ? names : [...names, forward.jwt.header]
  for (const [index, name] of all.entries()) {
    const path = index < names.length ? [...at, 'headers', name] : [...at, 'jwt', 'header']
    const lower = name.toLowerCase()
    const isAuthorization = lower === 'authorization' && forward.authorization === 'keep'
    if (NOT_FOR_IDENTITY.has(lower) || lower.startsWith('x-forwarded') || isAuthorization) {
      reader.complain(path, `the header \`${name}\` has another meaning`, {
        fix: 'choose a name of its own, such as X-User',
      })
    } else if (all.findIndex((each) => each.toLowerCase() === lower) < index) {
      reader.complain(path, `the header \`${name}\` is there twice`, { fix: 'choose another name' })
    }
  }
  if (!auth.schemes.includes('oauth2') && auth.mode !== 'bearer') {
    reader.complain([...at.slice(0, -1), 'auth', 'schemes'], 'browsers sign in with OAuth 2', {
      fix: 'add `oauth2`, or use `mode: bearer`',
    })
  }
}

function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}
