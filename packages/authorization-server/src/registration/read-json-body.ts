import type { IncomingMessage } from 'node:http'

const LIMIT_BYTES = 64 * 1024

/** A JSON object in the body, or why there is none, in words for the caller. */
export type JsonBody =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly status: 400 | 413 | 415; readonly why: string }

export async function readJsonBody(request: IncomingMessage): Promise<JsonBody> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') {
    return { ok: false, status: 415, why: 'the body must be application/json' }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  // Left open when it is too much, or there would be nobody to answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > LIMIT_BYTES) {
      return { ok: false, status: 413, why: `the body is larger than ${LIMIT_BYTES} bytes` }
    }
    chunks.push(chunk)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { ok: true, value: value as Record<string, unknown> }
    }
  } catch {
    // Answered below: what a parser says may repeat what was sent.
  }
  return { ok: false, status: 400, why: 'the body is not a JSON object in UTF-8' }
}
