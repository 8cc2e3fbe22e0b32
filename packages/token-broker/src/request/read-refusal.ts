import type { ProviderMessage } from '@scopegate/oauth-model'
import type { Answer } from '../transport/transport.ts'
import { parseBody } from './parse-body.ts'
import { excerptOf, type Scrub, scrubMessage } from './scrub.ts'

/** What the provider said, in its own words but for secrets. */
export function readRefusal(answer: Answer, scrub: Scrub): ProviderMessage {
  const contentType = answer.headers.get('content-type')
  const body = parseBody(answer.text, contentType)
  const said = body.kind === 'object' ? wordsOf(body.value) : {}
  const challenge = challengeOf(answer.headers.get('www-authenticate'))
  const text = (value: string | undefined) =>
    value === undefined || value === '' ? undefined : scrubMessage(value, scrub)
  const error = text(said.error ?? challenge.error)
  const description = text(said.description ?? challenge.description)
  const correlationId = text(said.correlationId ?? correlationIdIn(answer.headers))
  const codes = codesOf(said.codes, description)
  const message = {
    status: answer.status,
    error,
    description,
    errorUri: text(said.errorUri),
    codes: codes.length > 0 ? codes : undefined,
    traceId: text(said.traceId),
    correlationId,
    timestamp: text(said.timestamp),
    contentType: contentType === null ? undefined : scrubMessage(contentType, scrub).slice(0, 100),
    excerpt: error === undefined ? excerptOf(answer.text, scrub) || undefined : undefined,
  }
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== undefined),
  ) as ProviderMessage
}

/** In seconds from now: a number, or a date, which is measured by the clock that wrote it. */
export function retryAfterOf(answer: Answer, nowMs: number): number | undefined {
  const value = answer.headers.get('retry-after')?.trim()
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const at = Date.parse(value)
  if (Number.isNaN(at)) return undefined
  const theirNowMs = nowMs + (answer.clockSkewSeconds ?? 0) * 1000
  return Math.max(0, Math.ceil((at - theirNowMs) / 1000))
}

interface Words {
  readonly error?: string | undefined
  readonly description?: string | undefined
  readonly errorUri?: string | undefined
  readonly codes?: unknown
  readonly traceId?: string | undefined
  readonly correlationId?: string | undefined
  readonly timestamp?: string | undefined
}

/** RFC 6749 §5.2, with what Entra adds; Google's `error` object; Okta's `errorCode`. */
function wordsOf(body: Readonly<Record<string, unknown>>): Words {
  const own = isObject(body.error) ? body.error : body
  return {
    error: asText(own === body ? (body.error ?? body.errorCode) : (own.status ?? own.code)),
    description: asText(
      own === body
        ? (body.error_description ?? body.errorSummary ?? body.message)
        : (own.message ?? own.error_description),
    ),
    errorUri: asText(body.error_uri),
    codes: body.error_codes,
    traceId: asText(body.trace_id ?? body.errorId),
    correlationId: asText(body.correlation_id),
    timestamp: asText(body.timestamp),
  }
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `AADSTS` numbers stand in a list, and in the text. */
function codesOf(list: unknown, description = ''): readonly number[] {
  const listed = (Array.isArray(list) ? list.slice(0, 100) : [])
    .flatMap((each) => (typeof each === 'number' || typeof each === 'string' ? Number(each) : []))
    .filter(Number.isSafeInteger)
  const inText = [...description.matchAll(/\bAADSTS(\d{2,8})\b/g)].map(([, digits]) =>
    Number(digits),
  )
  return [...new Set([...listed, ...inText])].slice(0, 10)
}

/** `error` and `error_description` of a challenge: some say it there only. @see RFC 6750 §3 */
function challengeOf(header: string | null): { error?: string; description?: string } {
  const member = (name: string) =>
    new RegExp(`(?:^|[\\s,])${name}="([^"]{0,1000})"`, 'i').exec(header ?? '')?.[1]
  const error = member('error')
  const description = member('error_description')
  return { ...(error && { error }), ...(description && { description }) }
}

function correlationIdIn(headers: Headers): string | undefined {
  for (const name of CORRELATION_HEADERS) {
    const value = headers.get(name)
    if (value !== null && value !== '') return value
  }
  return undefined
}

const CORRELATION_HEADERS = [
  'cerner-correlation-id',
  'x-ms-request-id',
  'x-okta-request-id',
  'x-auth0-requestid',
  'x-correlation-id',
  'x-request-id',
  'request-id',
]
