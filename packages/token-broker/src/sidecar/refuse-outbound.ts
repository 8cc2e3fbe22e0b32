import { type ServerResponse, STATUS_CODES } from 'node:http'
import { callerView, failedApi, wwwAuthenticate } from '@scopegate/checks'
import { NO_STORE, SECURITY_HEADERS } from '@scopegate/http'
import { TokenUnavailable } from '@scopegate/oauth-model'
import { notNow, type UpstreamFailure, unavailability } from '@scopegate/upstream'
import { CALLER_HEADER } from './authenticate-caller.ts'
import { DIAGNOSIS_HEADER, type Diagnosis, diagnoseNoToken, diagnosisHeader } from './diagnose.ts'
import type { OutboundCall, OutboundRefusal } from './outbound-call.ts'

export interface OutboundAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * What the caller reads where nothing of the upstream can be passed on: `application/problem+json`
 * with the code, what to do, and the id under which the operator finds all checks.
 *
 * @see RFC 9457
 */
export function wordRefusal(
  { checks, headers, problem }: OutboundRefusal,
  {
    correlationId,
    dpopAlgorithms,
  }: { readonly correlationId: string; readonly dpopAlgorithms: readonly string[] | undefined },
): OutboundAnswer {
  const view = callerView(checks)
  const status = view?.status ?? 403
  const challenge =
    status === 401
      ? wwwAuthenticate(checks, {
          realm: 'connections',
          ...(dpopAlgorithms && { dpop: { algorithms: dpopAlgorithms, used: false } }),
        })
      : undefined
  const fix = status === 401 ? `${view?.fix}; it is sent in the header ${CALLER_HEADER}` : view?.fix
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: view?.text ?? 'not permitted',
    ...(view?.code && { code: view.code }),
    ...(fix && { fix }),
    ...problem,
    correlationId,
  }
  return {
    status,
    headers: {
      ...SECURITY_HEADERS,
      ...NO_STORE,
      'Content-Type': 'application/problem+json',
      'X-Request-Id': correlationId,
      ...(challenge && { 'WWW-Authenticate': challenge }),
      ...headers,
    },
    body: `${JSON.stringify(body)}\n`,
  }
}

const LINGER_MS = 500

/** Answers with a refusal, unless an answer has begun. A body that nobody wants is not read. */
export function sendRefusal(
  request: OutboundCall['request'],
  response: ServerResponse,
  { status, headers, body }: OutboundAnswer,
): void {
  if (response.headersSent || response.destroyed) return
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  if (!request.complete && (encoding !== undefined || length !== '0')) {
    response.setHeader('Connection', 'close')
    response.once('finish', () => setTimeout(() => request.socket.destroy(), LINGER_MS).unref())
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** There is no token: what failed, who said so, and when to come again. Nothing was sent. */
export function refuseWithoutToken(
  error: unknown,
  { route, token }: OutboundCall,
  nowMs: number,
): OutboundRefusal {
  const { name } = route.connection
  const { status, retryAfterSeconds } = unavailability(error, Math.floor(nowMs / 1000))
  // With a token before it, the request was sent once, and refused.
  const diagnosis = diagnoseNoToken(error, token !== undefined)
  const { reason, cause, fix } = diagnosis
  const known = error instanceof TokenUnavailable ? error : undefined
  return {
    checks: [
      failedApi(status === 503 ? 'upstream_token_delayed' : 'upstream_token_missing', {
        ...{ expected: `connection ${name}`, got: reason, fix },
      }),
    ],
    headers: {
      [DIAGNOSIS_HEADER]: diagnosisHeader(diagnosis),
      ...(retryAfterSeconds && { 'Retry-After': String(retryAfterSeconds) }),
    },
    problem: {
      code: reason,
      detail: `no token for connection ${name}: ${cause}`,
      fix,
      connection: name,
      ...(known && { kind: known.failure.kind }),
      ...(known?.failure.provider && { provider: known.failure.provider }),
      ...(known?.nextAttemptAt !== undefined && {
        nextAttemptAt: new Date(known.nextAttemptAt * 1000).toISOString(),
      }),
    },
  }
}

/** The upstream gave no answer that could be passed on. */
export function refuseUpstream(
  { kind, code }: UpstreamFailure,
  call: OutboundCall,
  nowMs: number,
): OutboundRefusal {
  const { origin, limits } = call.route.upstream
  const rejection = call.token?.rejection
  const detail = { expected: origin, got: code }
  switch (kind) {
    case 'timeout':
      return { checks: [failedApi('upstream_timeout', detail)] }
    case 'unreachable':
      return { checks: [failedApi('upstream_unreachable', detail)] }
    case 'request-too-large': {
      const expected = `${limits.bodyBytes} bytes`
      return { checks: [failedApi('request_too_large', { expected })] }
    }
    case 'request-too-slow': {
      const expected = `${limits.bodyBytesPerSecond} bytes per second`
      return {
        checks: [failedApi('request_too_slow', { expected })],
        headers: { Connection: 'close' },
      }
    }
    case 'busy':
      return {
        checks: [failedApi('upstream_busy', { expected: origin })],
        headers: { 'Retry-After': '1' },
      }
    case 'token-rejected':
      return refuseWithoutToken(
        rejection?.kind === 'renewal-failed' ? rejection.error : undefined,
        call,
        nowMs,
      )
    case 'broken':
      return { checks: [failedApi('upstream_broken', detail)] }
  }
}

/** Who calls could not be looked up. */
export function refuseWithoutStorage(): OutboundRefusal {
  return { checks: [failedApi('caller_lookup_failed')], headers: { 'Retry-After': '5' } }
}

/** The upstream is left alone for now. */
export function refuseForNow({ route: { upstream } }: OutboundCall): OutboundRefusal | undefined {
  const now = notNow(upstream)
  if (now === undefined) return undefined
  const { kind, seconds } = now
  const detail = { expected: upstream.origin, ...(kind === 'paused' && { got: `${seconds} s` }) }
  return {
    checks: [failedApi(kind === 'busy' ? 'upstream_busy' : 'upstream_paused', detail)],
    headers: { 'Retry-After': String(seconds) },
  }
}

/** The checks of the call, and those of its refusal that are not among them. */
export function withMade(call: OutboundCall, { checks }: OutboundRefusal) {
  return [...call.checks, ...checks.filter((check) => !call.checks.includes(check))]
}

/** What the upstream refused, as the operator reads it. */
export function refusalOf(
  diagnosis: Diagnosis | undefined,
  { route }: OutboundCall,
): OutboundRefusal | undefined {
  if (diagnosis === undefined) return undefined
  const { code, reason, fix } = diagnosis
  const expected = `connection ${route.connection.name}`
  const row = code === 'upstream_forbids' ? 'upstream_forbids' : 'upstream_token_rejected'
  return { checks: [failedApi(row, { expected, got: reason, fix })] }
}
