import { callerView, failed, wwwAuthenticate } from '@scopegate/checks'
import {
  correlationIdOf,
  type Handler,
  type Problem,
  problemResponse,
  type Route,
  requestFacts,
} from '@scopegate/http'
import { KEY_SET_NAME, type SignKeys } from '@scopegate/keys'
import type {
  ClientRegistry,
  Explainer,
  GrantDirectory,
  LaunchMaker,
  RegistrationTokens,
  TokenVerdict,
  TokenVerifier,
  VerifiedToken,
} from '@scopegate/oauth-model'
import type { AdminAnswer, AdminRoute, AuditNote } from './call.ts'
import type { Connections } from './connection-ports.ts'
import type { ServerAddresses } from './kit/kit-facts.ts'
import type {
  AdminAudit,
  DoctorReport,
  MasterKeyChange,
  ResourceImporter,
  ServerStatus,
  SigningKeys,
  TraceReader,
  UserRegistry,
  UserSessions,
} from './ports.ts'
import { AdminProblem } from './problem.ts'
import { ADMIN_ROUTES } from './route-table.ts'

export interface AdminApiDeps {
  /** The public address, such as `https://gate.example/admin/api`: also the audience it accepts. */
  readonly url: string
  /** Our own issuer; tokens of others are never accepted here. */
  readonly issuer: string
  readonly verifier: TokenVerifier
  readonly clients: ClientRegistry
  /** Where clients find what they need. */
  readonly addresses: ServerAddresses
  readonly launches?: LaunchMaker
  /** Launches need not name the client that they are for. */
  readonly launchAnyClient?: boolean
  readonly grants?: GrantDirectory
  readonly users?: UserRegistry
  readonly sessions?: UserSessions
  readonly registrationTokens?: RegistrationTokens
  readonly signingKeys: SigningKeys
  /** Keys that sign for others, by grant. */
  readonly signKeys?: SignKeys
  /** Roles that the configuration gives a client, for grants of keys that are for a role. */
  readonly rolesOfClient?: (clientId: string) => readonly string[]
  /** Whether a private key may be given out, encrypted, to who has the scope for it. */
  readonly allowKeyExport?: boolean
  /** Missing: no connections are configured. */
  readonly connections?: Connections
  readonly importer: ResourceImporter
  readonly traces: TraceReader
  readonly explainer: Explainer
  readonly audit: AdminAudit
  readonly status: () => Promise<ServerStatus>
  /** The key that seals what is stored. */
  readonly masterKey?: MasterKeyChange
  /** Looks whether the installation is in order. */
  readonly doctor?: () => Promise<DoctorReport>
  /** Aborts when the server stops: answers without an end of their own end. */
  readonly stopping?: AbortSignal
  /** Makes an archive of the database and gives it away. */
  readonly backup: () => Promise<{ readonly archive: ReadableStream; readonly rows: number }>
  readonly nowMs: () => number
  readonly onError?: (error: unknown, correlationId: string) => void
  /** What a caller is told of an error that passes, such as a full disk; `undefined` for a mistake of ours. */
  readonly problemOf?: (error: unknown) => Problem | undefined
}

export interface AdminApi {
  readonly routes: readonly Route[]
  readonly fetch: Handler
}

/**
 * The admin API: clients, import, traces, explain, status. Every call needs a token of our own
 * issuer for this audience with the scope of the route; being on loopback proves nothing. Every
 * write leaves an audit entry, refused ones too.
 */
export function createAdminApi(deps: AdminApiDeps): AdminApi {
  const base = new URL(deps.url).pathname.replace(/\/$/, '')
  const routes = ADMIN_ROUTES.map((route) => ({
    route,
    segments: `${base}${route.path}`.split('/'),
  }))

  const fetch: Handler = async (request) => {
    const correlationId = correlationIdOf(request, deps.nowMs())
    try {
      const response = await answer(request, correlationId)
      response.headers.set('X-Request-Id', correlationId)
      return response
    } catch (error) {
      if (error instanceof AdminProblem) {
        return problemResponse(undefined, { ...error.problem, correlationId })
      }
      deps.onError?.(error, correlationId)
      const known = deps.problemOf?.(error)
      if (known) return problemResponse(undefined, { ...known, correlationId })
      return problemResponse(undefined, {
        status: 500,
        detail: 'The server made a mistake.',
        fix: 'The log has the details under the correlation id.',
        correlationId,
      })
    }
  }

  async function answer(request: Request, correlationId: string): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const sent = pathname.split('/')
    const here = routes.flatMap(({ route, segments }) => {
      const params = matchSegments(segments, sent)
      return params === undefined ? [] : [{ route, params }]
    })
    const proof = request.headers.get('dpop')
    const verdict = await deps.verifier.verify(
      request.headers.get('authorization') ?? undefined,
      { audiences: [deps.url], issuers: [deps.issuer] },
      {
        authorizationRepeated: requestFacts(request).repeatedHeaders.includes('authorization'),
        tokenInParameters: searchParams.has('access_token'),
        request: {
          method: request.method,
          url: `${new URL(deps.url).origin}${pathname}`,
          ...(proof === null ? {} : { proof }),
        },
      },
    )
    // Before an address is confirmed to exist, the caller must be somebody.
    if (!verdict.ok) return refuseToken(verdict, correlationId)
    if (here.length === 0) {
      throw new AdminProblem(404, 'there is nothing at this address', 'see /openapi.json')
    }
    const found = here.find(({ route }) => route.method === request.method)
    if (!found) {
      const allow = here.map(({ route }) => route.method).join(', ')
      throw new AdminProblem(405, `${request.method} is not offered here`, `use ${allow}`, {
        Allow: allow,
      })
    }
    const { route, params } = found
    const { token } = verdict
    const call = { request, params, query: searchParams, token, correlationId, deps }
    const hasScope = token.scope.split(' ').includes(route.scope)
    if (!hasScope && (await route.isAllowed?.(call)) !== true) {
      const response = refuseScope(route, token, correlationId)
      await record(route, token, correlationId, 'refused', 403, aimedAt(route, params))
      return response
    }
    return run(route, call)
  }

  async function run(
    route: AdminRoute,
    call: Parameters<AdminRoute['handle']>[0],
  ): Promise<Response> {
    const { token, correlationId } = call
    let done: AdminAnswer
    try {
      done = await route.handle(call)
    } catch (error) {
      const status =
        error instanceof AdminProblem
          ? error.problem.status
          : (deps.problemOf?.(error)?.status ?? 500)
      const named = error instanceof AdminProblem ? error.target : undefined
      const note = named === undefined ? aimedAt(route, call.params) : { target: named }
      await record(route, token, correlationId, 'failed', status, note)
      throw error
    }
    const { response, audit, finished, decision = 'permitted' } = done
    if (finished) {
      finished
        .then((note) => record(route, token, correlationId, 'permitted', response.status, note))
        .catch((error) => deps.onError?.(error, correlationId))
    } else {
      await record(route, token, correlationId, decision, response.status, audit)
    }
    return response
  }

  async function record(
    route: AdminRoute,
    token: VerifiedToken,
    correlationId: string,
    decision: 'permitted' | 'refused' | 'failed',
    status: number,
    note: AuditNote = {},
  ): Promise<void> {
    if (!route.action) return
    await deps.audit.recordAdmin({
      atMs: deps.nowMs(),
      correlationId,
      issuer: token.issuer,
      clientId: token.clientId,
      subject: token.subject,
      action: route.action,
      decision,
      status,
      ...note,
    })
  }

  return { fetch, routes: [{ path: `${base}/*`, handler: fetch }] }
}

/** What a call was for that was not carried out. What can be no name may be anything: it is left out. */
function aimedAt({ kind }: AdminRoute, { name = '' }: Readonly<Record<string, string>>): AuditNote {
  return kind !== undefined && KEY_SET_NAME.test(name) ? { target: `${kind}/${name}` } : {}
}

/**
 * What stands for the `:name` segments of a route, decoded; `undefined` where the path is another, or
 * is not UTF-8. URLPattern does the same and takes longer than a signature.
 */
function matchSegments(
  route: readonly string[],
  sent: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const fits = (segment: string, index: number) =>
    segment.startsWith(':') ? sent[index] !== '' : segment === sent[index]
  if (route.length !== sent.length || !route.every(fits)) return undefined
  try {
    return Object.fromEntries(
      route.flatMap((segment, index) =>
        segment.startsWith(':')
          ? [[segment.slice(1), decodeURIComponent(sent[index] ?? '')] as const]
          : [],
      ),
    )
  } catch {
    return undefined
  }
}

function refuseToken(
  verdict: Extract<TokenVerdict, { ok: false }>,
  correlationId: string,
): Response {
  return refusal(verdict.checks, correlationId)
}

function refuseScope(route: AdminRoute, token: VerifiedToken, correlationId: string): Response {
  const check = failed('permission_missing', { expected: route.scope, got: token.scope })
  return refusal([check], correlationId, route.scope)
}

function refusal(
  checks: Parameters<typeof callerView>[0],
  correlationId: string,
  scope?: string,
): Response {
  const view = callerView(checks)
  const challenge = wwwAuthenticate(checks, { realm: 'scopegate admin', ...(scope && { scope }) })
  return problemResponse(undefined, {
    status: view?.status ?? 403,
    detail: view?.text ?? 'not permitted',
    ...(view?.fix && { fix: view.fix }),
    correlationId,
    headers: challenge === undefined ? {} : { 'WWW-Authenticate': challenge },
  })
}
