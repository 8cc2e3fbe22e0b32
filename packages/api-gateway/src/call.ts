import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnyCheck } from '@scopegate/checks'
import type { RequestToken } from '@scopegate/upstream'
import type { Api, ApiRoute } from './api.ts'
import type { ApiCaller } from './api-caller.ts'

/** One request to an API, and what became known of it. */
export interface ApiCall {
  readonly api: Api
  readonly request: IncomingMessage
  readonly method: string
  /** Below the API: `/transfer`; `/` for the API itself. */
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
  readonly correlationId: string
  readonly startedAtMs: number
  /** The peer, or whom a trusted proxy names. */
  readonly address: string
  route?: ApiRoute
  caller?: ApiCaller
  /** Of the session of a browser, for upstreams that want it: `forward.authorization: keep`. */
  accessToken?: string
  /** The token of a connection that the upstream gets. */
  upstreamToken?: RequestToken
  /** What an unverified token says of itself, for the operator. */
  claimed?: { readonly issuer?: string; readonly clientId?: string; readonly fingerprint: string }
  /** What was opened is looked at again: its credentials were shown then. */
  readonly isAskedAgain?: true
  /** The checks of the credentials. */
  checks: readonly AnyCheck[]
}

/** A refusal: the check that failed, and what goes into the answer beside it. */
export interface Refusal {
  readonly checks: readonly AnyCheck[]
  readonly headers?: Readonly<Record<string, string>>
  /** For `insufficient_scope`: the scopes that would do. */
  readonly scope?: string
}

/** Answers that are not passed on; a WebSocket that is refused has no `ServerResponse`. */
export interface Answerer {
  readonly response?: ServerResponse
  send(
    status: number,
    headers: Readonly<Record<string, string | readonly string[]>>,
    body: string,
  ): void
}
