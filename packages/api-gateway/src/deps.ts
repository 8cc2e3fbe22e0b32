import type { IncomingMessage } from 'node:http'
import type { AccessAudit, TraceSink } from '@scopegate/audit'
import type { CallerDetail } from '@scopegate/checks'
import type { CountFailure } from '@scopegate/http'
import type { PasswordAuthentication, TokenSource, TokenVerifier } from '@scopegate/oauth-model'
import type { Api } from './api.ts'
import type { WebLogin } from './web-login.ts'

export interface ApiGatewayDeps {
  readonly apis: readonly Api[]
  /** The public base URL of this server. */
  readonly url: string
  readonly verifier: TokenVerifier
  /** By the name of the API; of those whose mode is `login` or `both`. */
  readonly logins?: ReadonlyMap<string, WebLogin>
  /** For the scheme `basic`. */
  readonly passwords?: PasswordAuthentication
  /** Signs with the keys that `/oauth/jwks` publishes; for `forward.jwt`. */
  readonly signJwt?: (claims: Readonly<Record<string, unknown>>, typ: string) => Promise<string>
  /** For `forward.token`: where the tokens of connections come from. */
  readonly tokens?: TokenSource
  readonly traces: TraceSink
  /** How much callers may read of refusals; default `standard`. */
  readonly callers?: CallerDetail
  /** Told of refusals. */
  readonly audit?: Pick<AccessAudit, 'record'>
  /** Slows down who guesses: told of every 401. */
  readonly countFailure?: CountFailure
  /** Whether the peer is a proxy whose word on the caller's address counts. */
  readonly isTrustedProxy?: (address: string) => boolean
  /** Epoch milliseconds. */
  readonly nowMs?: () => number
  /** Our own failures, and those of upstreams. */
  readonly onError?: (error: unknown, correlationId: string) => void
  /** A request was answered. */
  readonly onAnswered?: (
    api: Api,
    request: IncomingMessage,
    status: number,
    seconds: number,
  ) => void
}
