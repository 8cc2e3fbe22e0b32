import assert from 'node:assert/strict'
import type { TokenFailure } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import { createTokenRequester } from '../create-token-requester.ts'
import type { RequesterOptions } from '../request/requester-runtime.ts'
import type { FetchedToken, TokenOutcome, TokenTarget } from '../token-request.ts'
import { type ConnectionCredentials, compileConnection } from '../written/compile-connection.ts'
import type { WrittenConnection } from '../written/written-connection.ts'

/** A connection of a test; its credentials are one secret unless others are given. */
export function connectionTo(
  tokenEndpoint: string,
  written: Partial<WrittenConnection> = {},
  credentials: ConnectionCredentials = { secrets: () => ['secretOfThisTest'] },
): Connection {
  return compileConnection(
    {
      name: 'lab',
      clientId: 'lab-reader',
      tokenEndpoint,
      scopes: ['system/Observation.rs'],
      ...written,
    },
    credentials,
  )
}

export function targetOf(connection: Connection, wish: Partial<TokenTarget> = {}): TokenTarget {
  const { scopes, audience, subject } = connection
  return { connection, scopes, audience, subject, ...wish }
}

/** One request, by a requester of its own unless one is given. */
export function ask(
  connection: Connection,
  options: Partial<RequesterOptions> & { readonly refreshToken?: string } = {},
): Promise<TokenOutcome> {
  const { refreshToken, ...rest } = options
  const requester = createTokenRequester({ nowMs: Date.now, ...rest })
  return requester.request(targetOf(connection), {
    ...(refreshToken !== undefined && { refreshToken }),
    signal: AbortSignal.timeout(30_000),
  })
}

export function tokenOf(outcome: TokenOutcome): FetchedToken {
  assert.equal(outcome.kind, 'token', JSON.stringify(outcome))
  return (outcome as Extract<TokenOutcome, { kind: 'token' }>).token
}

export function failureOf(outcome: TokenOutcome): TokenFailure {
  assert.equal(outcome.kind, 'failed', 'a token came')
  return (outcome as Extract<TokenOutcome, { kind: 'failed' }>).failure
}
