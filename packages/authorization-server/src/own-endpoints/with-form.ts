import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FormPair } from '@scopegate/http'

/** The request with another form, for a reader further on, once its own body has been read. */
export function withForm(request: IncomingMessage, form: readonly FormPair[]): IncomingMessage {
  const body = Buffer.from(
    new URLSearchParams(form.map(([name, value]) => [name, value])).toString(),
  )
  const { 'transfer-encoding': _, ...headers } = request.headers
  const { method, url, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor, socket } =
    request
  return Object.assign(Readable.from([body], { objectMode: false }), {
    method,
    url,
    rawHeaders,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
    socket,
    headers: { ...headers, 'content-length': String(body.length) },
  }) as unknown as IncomingMessage
}
