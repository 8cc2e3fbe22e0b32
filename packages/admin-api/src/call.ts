import type { AdminScope, VerifiedToken } from '@scopegate/oauth-model'
import type { AdminApiDeps } from './create-admin-api.ts'
import { AdminProblem } from './problem.ts'

/** One authorised call, as a route sees it. */
export interface AdminCall {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly token: VerifiedToken
  readonly correlationId: string
  readonly deps: AdminApiDeps
}

/** What a route answers; `audit` goes into the audit entry of a write. */
export interface AdminAnswer {
  readonly response: Response
  readonly audit?: AuditNote
  /** Default: `permitted`. */
  readonly decision?: 'permitted' | 'refused'
  /** Set when the answer streams: settles when the work behind it is done. */
  readonly finished?: Promise<AuditNote>
}

export interface AuditNote {
  readonly target?: string
  /** What changed, without secrets and patient data. */
  readonly detail?: Readonly<Record<string, unknown>>
}

export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the API's address; `:name` stands for one segment. */
  readonly path: string
  readonly scope: AdminScope
  /** Who may come without it, as the configuration says. Asked only where the scope is missing. */
  readonly isAllowed?: (call: AdminCall) => Promise<boolean>
  /** `client.create`; present on every write and on what shows a person's access; the name of the audit entry. */
  readonly action?: string
  /** What `:name` stands for: says in the audit entry what a call was for that was not carried out. */
  readonly kind?: 'key'
  readonly summary: string
  readonly handle: (call: AdminCall) => Promise<AdminAnswer>
}

/** A part of the server that may be left out. @throws {AdminProblem} 501 */
export function offered<Port>(port: Port | undefined, what: string): Port {
  if (port !== undefined) return port
  throw new AdminProblem(501, `this server has no ${what}`)
}

export function answerJson(body: unknown, status = 200, audit?: AuditNote): AdminAnswer {
  return {
    response: Response.json(body, { status, headers: { 'Cache-Control': 'no-store' } }),
    ...(audit && { audit }),
  }
}
