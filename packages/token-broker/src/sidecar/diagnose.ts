import {
  findProviderError,
  type ProviderError,
  readBearerChallenge,
  tokenFactsOf,
} from '@scopegate/checks'
import { type ConnectionToken, TokenUnavailable } from '@scopegate/oauth-model'
import type { AnswerHeaders, Rejection, RequestToken } from '@scopegate/upstream'
import type { SidecarConnection } from './sidecar-connection.ts'

/** The header in which the sidecar says what it knows of a failure. */
export const DIAGNOSIS_HEADER = 'Scopegate-Diagnosis'

/** What became of a request with a token, for programs. */
export type DiagnosisCode =
  /** A token that was issued only now was refused too. */
  | 'upstream_rejected_fresh_token'
  /** The token was refused, and the request could not be sent again with another one. */
  | 'upstream_rejected_token'
  /** The token is good and does not allow this. */
  | 'upstream_forbids'
  /** There was no token; nothing was sent. */
  | 'no_token'

export interface Diagnosis {
  readonly code: DiagnosisCode
  /** The row of the error catalogue. */
  readonly reason: string
  readonly cause: string
  readonly fix: string
  /** What became of the renewal. */
  readonly renewal?: 'done' | 'background' | 'failed' | 'same_token' | 'limited' | 'recent'
}

/**
 * Why the upstream refused the token of a connection, as far as its answer and the claims of the
 * token tell; `undefined` for every other answer.
 */
export function diagnoseAnswer(
  { status, headers }: { readonly status: number; readonly headers: AnswerHeaders },
  about: {
    readonly connection: SidecarConnection
    readonly token: RequestToken
    /** Without its query. */
    readonly url: string
    readonly nowSeconds: number
  },
): Diagnosis | undefined {
  if (status !== 401 && status !== 403) return undefined
  const { token } = about
  const row = findRow(status, headers, about)
  const { code: reason, cause, fix } = row
  if (status === 403) return { code: 'upstream_forbids', reason, cause, fix }
  const { rejection } = token
  const isFresh = rejection?.kind === 'fresh'
  return {
    code: isFresh ? 'upstream_rejected_fresh_token' : 'upstream_rejected_token',
    ...{ reason, cause, fix },
    ...(rejection && { renewal: renewalOf(rejection, token) }),
  }
}

function findRow(
  status: number,
  headers: AnswerHeaders,
  about: {
    readonly connection: SidecarConnection
    readonly token: RequestToken
    readonly url: string
    readonly nowSeconds: number
  },
): ProviderError {
  const { connection, token, url, nowSeconds } = about
  const { error, description, scopes, hasClaims } =
    readBearerChallenge(headers['www-authenticate']) ?? {}
  const { accessToken, scopes: granted } = token.current
  return findProviderError({
    stage: 'resource',
    preset: connection.preset,
    connection: connection.name,
    ...(connection.clientId !== undefined && { clientId: connection.clientId }),
    status,
    ...(error !== undefined && { error }),
    ...(description !== undefined && { description }),
    ...(scopes !== undefined && scopes.length > 0 && { neededScopes: scopes }),
    ...(hasClaims && { hasClaimsChallenge: true }),
    resource: url,
    token: tokenFactsOf(accessToken, { granted, nowSeconds }),
  })
}

function renewalOf(rejection: Rejection, token: RequestToken): NonNullable<Diagnosis['renewal']> {
  switch (rejection.kind) {
    case 'fresh':
      return token.isRenewed ? 'done' : 'recent'
    case 'not-replayable':
      return 'background'
    case 'renewal-failed':
      return 'failed'
    case 'same-token':
      return 'same_token'
    case 'no-more-renewals':
      return 'limited'
  }
}

/**
 * Why there is no token. @param wasRefused the upstream had refused the one before it: something was
 * sent, once
 */
export function diagnoseNoToken(error: unknown, wasRefused: boolean): Diagnosis {
  const about = wasRefused
    ? ({ code: 'upstream_rejected_token', renewal: 'failed' } as const)
    : ({ code: 'no_token' } as const)
  if (error instanceof TokenUnavailable) {
    const { code: reason, cause, fix } = error.failure
    return { ...about, reason, cause, fix }
  }
  return {
    ...{ ...about, reason: 'broker_failed' },
    cause: 'the token broker failed by itself',
    fix: 'see the log of the server under the id of this request',
  }
}

/** As one header: an item of structured fields with parameters. @see RFC 9651 §4.1 */
export function diagnosisHeader(diagnosis: Diagnosis, token?: ConnectionToken): string {
  const { code, reason, cause, fix, renewal } = diagnosis
  const parameters: readonly (readonly [string, string | undefined])[] = [
    ['reason', reason],
    ['renewal', renewal],
    ['token', token && quoted(token.fingerprint)],
    ['cause', quoted(cause)],
    ['fix', quoted(fix)],
  ]
  return [
    code,
    ...parameters.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
  ].join('; ')
}

const MAX_LENGTH = 500

function quoted(text: string): string {
  const plain = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_LENGTH)
  return `"${plain.replaceAll(/["\\]/g, '\\$&')}"`
}
