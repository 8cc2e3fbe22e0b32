import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Problem } from './problem.ts'

/** Told of a refused credential. @returns for how many seconds no other is looked at, if so. */
export type CountFailure = (request: IncomingMessage) => number | undefined

/** The address of the caller has failed too often. @see RFC 6585 §4 */
export function tooManyFailures(seconds: number, correlationId: string): Problem {
  return {
    status: 429,
    detail: 'too many refused tokens came from this address',
    fix: `send a good token; a refused one is looked at again in ${seconds} s`,
    correlationId,
    headers: { 'Retry-After': String(seconds) },
  }
}

interface NodeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
}

/** A 401 in its place becomes 429, for whoever answers without a `Response`; all else stands. */
export function limitFailures<Answer extends NodeAnswer>(
  answer: Answer,
  request: IncomingMessage,
  correlationId: string,
  count: CountFailure | undefined,
): Answer {
  const seconds = answer.status === 401 ? count?.(request) : undefined
  if (seconds === undefined) return answer
  const { status, detail, fix, headers } = tooManyFailures(seconds, correlationId)
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail, fix }
  const { 'WWW-Authenticate': _, ...kept } = answer.headers
  return {
    ...answer,
    status,
    headers: { ...kept, ...headers },
    body: `${JSON.stringify({ ...problem, correlationId })}\n`,
  }
}
