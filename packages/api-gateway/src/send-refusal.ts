import type { ServerResponse } from 'node:http'
import type { ApiCall, Refusal } from './call.ts'
import type { RefusalAnswer } from './refuse.ts'

/** What of a body that nobody wants is read to its end to keep the connection. */
const SHORT_BYTES = 65_536
const LINGER_MS = 500

/** Answers with a refusal, unless an answer has begun. */
export function sendRefusal(
  call: ApiCall,
  refusal: Refusal,
  response: ServerResponse,
  word: (call: ApiCall, refusal: Refusal) => RefusalAnswer,
): void {
  if (response.headersSent || response.destroyed) return
  const { status, headers, body } = word(call, refusal)
  const { request } = call
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  const isLong = !request.complete && !(Number(length ?? 0) < SHORT_BYTES)
  const hasPieces = !request.complete && encoding !== undefined
  if (isLong || hasPieces) {
    response.setHeader('Connection', 'close')
    response.once('finish', () => setTimeout(() => request.socket.destroy(), LINGER_MS).unref())
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) } as never)
  response.end(call.method === 'HEAD' ? undefined : body)
}

/** A fault of ours. */
export function sendFault(response: ServerResponse, correlationId: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const problem = { title: 'Internal Server Error', status: 500, correlationId }
  response.writeHead(500, { 'Content-Type': 'application/problem+json' })
  response.end(`${JSON.stringify(problem)}\n`)
}
