import type { ConnectionStatus, TokenSource } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import type { TokenStore } from '../store/token-store.ts'
import type { FetchedToken, TokenRequester } from '../token-request.ts'
import type { OnBrokerEvent } from './broker-event.ts'

/** Tokens of connections, always there: fetched once for all callers and processes. */
export interface TokenBroker extends TokenSource {
  /** In the order of the configuration; what other processes know is among it. */
  status(): Promise<readonly ConnectionStatus[]>
  statusOf(connection: string): Promise<ConnectionStatus | undefined>
  /**
   * Closes the circuit and forgets failures, for all processes: the next caller asks the provider.
   * A refresh token that may have been used up is tried once more.
   *
   * @throws {TokenUnavailable} if there is no such connection
   */
  retry(connection: string): Promise<void>
  /** What an interactive sign-in brought. */
  storeGrant(connection: string, grant: SignedInGrant): Promise<void>
  /** Stops what runs by itself; resolves when the requests under way have ended. */
  close(): Promise<void>
}

export interface SignedInGrant {
  /** The answer of the token endpoint, with its refresh token. */
  readonly token?: FetchedToken
  /** Where there is no such answer. */
  readonly refreshToken?: string
  readonly subject?: string
}

export interface TokenBrokerDeps {
  readonly connections: readonly Connection[]
  /** Default: one that asks over HTTP, without a proxy. */
  readonly requester?: TokenRequester
  /** Shared by all processes that use the same connections. Default: the memory of this one. */
  readonly store?: TokenStore
  /** The wall clock, epoch milliseconds. Default: `Date.now`. */
  readonly nowMs?: () => number
  /** Default: `performance.now()`. */
  readonly monotonicMs?: () => number
  /** Default: a timer that keeps no process alive once it is aborted. */
  readonly sleep?: Sleep
  /** 0 to 1. */
  readonly random?: () => number
  readonly onEvent?: OnBrokerEvent
  /** For all connections; by default each has what its timeout needs. */
  readonly leaseMs?: number
  /** How long a caller without a token waits for one. */
  readonly waitMs?: number
  /** Tokens in memory at most. */
  readonly maxTokens?: number
  /** Kept by the caller, to count on after the configuration changed. */
  readonly counts?: Map<string, ConnectionCounts>
}

/** Rejects when it is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

/** Since the process started. */
export interface ConnectionCounts {
  hits: number
  fetches: number
  failures: number
  waiting: number
}
