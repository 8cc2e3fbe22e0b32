import { type ConnectionToken, type TokenFailure, TokenUnavailable } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import type { TokenOutcome, TokenRequester, TokenTarget } from '../token-request.ts'

export interface RemoteRequesterDeps {
  /** Of the admin API of the server, without a slash at the end. */
  readonly adminUrl: string
  readonly fetch: typeof fetch
  readonly nowMs: () => number
  /** Of this program at the server. */
  readonly authorization: {
    readonly get: () => Promise<ConnectionToken>
    readonly refused: (token: ConnectionToken) => Promise<void>
  }
}

/** The connection of another server, as the broker of this process sees it. */
export function remoteConnection(name: string, server: Connection): Connection {
  const { audience: _, resource: __, ...rest } = server
  return { ...rest, name, scopes: [], revision: 'remote' }
}

/** Asks a server for the tokens of its connections. */
export function createRemoteRequester(deps: RemoteRequesterDeps): TokenRequester {
  return {
    async request(target, { signal }) {
      try {
        return await ask(target, signal, deps)
      } catch (error) {
        if (error instanceof TokenUnavailable) return { kind: 'failed', failure: error.failure }
        return { kind: 'failed', failure: unreachable(deps.adminUrl, error) }
      }
    },
  }
}

async function ask(
  { connection, scopes, audience, subject }: TokenTarget,
  signal: AbortSignal,
  { adminUrl, fetch, nowMs, authorization }: RemoteRequesterDeps,
): Promise<TokenOutcome> {
  const query = new URLSearchParams()
  if (scopes.length > 0) query.set('scope', scopes.join(' '))
  if (audience !== undefined) query.set('audience', audience)
  if (subject !== undefined) query.set('subject', subject)
  const path = `${adminUrl}/connections/${encodeURIComponent(connection.name)}/token`
  const url = query.size === 0 ? path : `${path}?${query}`
  const own = await authorization.get()
  const headers = await own.headers({ method: 'GET', url })
  const response = await fetch(url, { headers, signal, redirect: 'error' })
  const body: unknown = await response.json().catch(() => undefined)
  const members = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  if (response.status === 401) await authorization.refused(own)
  const { access_token: accessToken, expires_at: expiresAt, scope, warnings } = members
  if (response.status !== 200 || typeof accessToken !== 'string') {
    return { kind: 'failed', failure: failureOf(response, members) }
  }
  const leftSeconds = Number(members.expires_in)
  return {
    kind: 'token',
    token: {
      ...{ accessToken, type: 'Bearer' },
      // At least one: the server counts whole seconds.
      expiresInSeconds: Number.isFinite(leftSeconds)
        ? Math.max(leftSeconds, 1)
        : leftOf(expiresAt, nowMs),
      scopes: typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [],
      warnings: Array.isArray(warnings) ? warnings.filter((each) => typeof each === 'string') : [],
    },
  }
}

function leftOf(expiresAt: unknown, nowMs: () => number): number {
  return Math.max(1, Number(expiresAt) - nowMs() / 1000)
}

/** As the server explains it; of an answer that does not, its status. */
function failureOf(response: Response, members: Record<string, unknown>): TokenFailure {
  const { status } = response
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined
  const told = members.failure as Partial<TokenFailure> | undefined
  const { kind, code, cause, fix } = told ?? {}
  const common = { wasSent: true, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
  if (kind !== undefined && code !== undefined && cause !== undefined && fix !== undefined) {
    return { kind, code, cause, fix, ...common }
  }
  const detail = typeof members.detail === 'string' ? `: ${members.detail}` : ''
  const passes = status >= 500 || status === 408 || status === 429 || status === 401
  return {
    ...common,
    kind: status === 429 ? 'rate' : passes ? 'temporary' : 'administration',
    code: passes ? 'store_unavailable' : 'connection_unknown',
    cause: `the Scopegate server answered ${status}${detail}`,
    fix: passes
      ? 'look at the log of that server'
      : 'name this client in `callers` of the connection, and register it for admin/connections.own',
    provider: { status },
  }
}

function unreachable(base: string, error: unknown): TokenFailure {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = (cause as { code?: unknown } | undefined)?.code
  return {
    ...{ kind: 'network', code: 'token_request_timeout', wasSent: true },
    cause: `the Scopegate server at ${base} cannot be reached${typeof code === 'string' ? ` (${code})` : ''}`,
    fix: 'start it, or correct its address',
  }
}
