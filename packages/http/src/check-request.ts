import type { IncomingMessage, ServerResponse } from 'node:http'
import { rememberTargetAuthority, repeatedHeaders } from './request-facts.ts'
import { checkRequestTarget } from './request-target.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Why a request was refused before any route saw it. */
export interface Fault {
  readonly status: number
  readonly detail: string
  readonly correlationId: string
}

/** How a part words a {@link Fault} of a request that was meant for it. */
export interface FaultForm {
  /** As of a {@link NodeRoute}. */
  readonly path: string
  readonly contentType: string
  readonly body: (fault: Fault) => string
}

const MAX_HEADERS = 200

/** The fault of a request that two readers could read in two ways; `undefined` for all others. */
export function checkRequest(request: IncomingMessage): Omit<Fault, 'correlationId'> | undefined {
  if (request.rawHeaders.length > 2 * MAX_HEADERS) {
    return { status: 431, detail: `the request has more than ${MAX_HEADERS} headers` }
  }
  const repeated = repeatedHeaders(request.rawHeaders)
  // A repeated Authorization is told by whoever authenticates, with its own form of answer.
  const fatal = repeated.find((name) => name !== 'authorization')
  if (fatal !== undefined) return { status: 400, detail: `the header ${fatal} came more than once` }
  const option = endToEndOption(request.headers.connection)
  if (option !== undefined) {
    return {
      status: 400,
      detail: `the header connection names ${option}, which is for all recipients`,
    }
  }
  if (request.httpVersion === '1.0' && request.headers['transfer-encoding'] !== undefined) {
    // RFC 9112 §6.1: framed by somebody who does not know what it means.
    return { status: 400, detail: 'HTTP/1.0 has no transfer-encoding' }
  }
  const target = checkRequestTarget(request.url ?? '')
  if (!target.ok) return { status: 400, detail: target.problem }
  // Absolute form is legal towards an origin server; its authority means nothing here.
  request.url = target.originForm
  if (target.authority !== undefined) rememberTargetAuthority(request, target.authority)
  return undefined
}

/**
 * A header that somebody on the way would take out although it is meant for whoever answers.
 * @see RFC 9110 §7.6.1
 */
function endToEndOption(connection: string | undefined): string | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') {
    return undefined
  }
  return connection
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
    .find((each) => END_TO_END.has(each))
}

const END_TO_END = new Set([
  'authorization',
  'content-length',
  'content-type',
  'cookie',
  'dpop',
  'host',
  'origin',
  'transfer-encoding',
])

const PROBLEM_FORM: Omit<FaultForm, 'path'> = {
  contentType: 'application/problem+json',
  body: (fault) => `${JSON.stringify(fault)}\n`,
}

/** Answers with the fault, in the form of the part that the request was meant for. */
export function answerFault(
  response: ServerResponse,
  fault: Fault,
  form: Omit<FaultForm, 'path'> = PROBLEM_FORM,
): void {
  const body = form.body(fault)
  response.setHeader('Connection', 'close')
  response.writeHead(fault.status, {
    ...SECURITY_HEADERS,
    'Content-Type': form.contentType,
    'X-Request-Id': fault.correlationId,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  response.end(body)
}
