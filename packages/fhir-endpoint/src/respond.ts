import { SECURITY_HEADERS } from '@scopegate/http'
import type { Call } from './call.ts'
import { prettyJson } from './pretty-json.ts'
import type { Reply } from './reply.ts'

export const FHIR_JSON = 'application/fhir+json; charset=utf-8'

/** What a page of another origin may ask and read; credentials travel in `Authorization` only. */
export const CORS = {
  origins: '*',
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
  requestHeaders: [
    'Accept',
    'Authorization',
    'Content-Type',
    'DPoP',
    'If-Match',
    'If-Modified-Since',
    'If-None-Exist',
    'If-None-Match',
    'Prefer',
    'X-Request-Id',
  ],
  exposedHeaders: [
    'Content-Location',
    'DPoP-Nonce',
    'ETag',
    'Last-Modified',
    'Location',
    'Retry-After',
    'WWW-Authenticate',
    'X-Request-Id',
  ],
  maxAgeSeconds: 600,
} as const

/**
 * The answer on the wire. Every answer that depends on a token says that nobody may store it and
 * what it depends on.
 */
export function respond(call: Call, reply: Reply, pretty: boolean): Response {
  const headers: Record<string, string> = {
    ...SECURITY_HEADERS,
    'Cache-Control': 'private, no-store',
    Vary: 'Authorization, Accept, Prefer, Origin',
    'X-Request-Id': call.correlationId,
    ...call.corsHeaders,
    ...reply.headers,
  }
  if (reply.body === null) return new Response(null, { status: reply.status, headers })
  const body = pretty ? prettyJson(reply.body) : reply.body
  headers['Content-Type'] ??= FHIR_JSON
  if (call.method !== 'HEAD') return new Response(body, { status: reply.status, headers })
  headers['Content-Length'] = String(Buffer.byteLength(body))
  return new Response(null, { status: reply.status, headers })
}
