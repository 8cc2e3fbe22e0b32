import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

/**
 * Sends a request as a browser does that loads a page. `fetch` always says that it is a script
 * (`Sec-Fetch-Mode: cors`), whatever headers it is given.
 */
export function navigate(url: string, init: RequestInit = {}): Promise<Response> {
  return send(url, { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, init)
}

/** A request with exactly the headers given. */
export function send(
  url: string,
  always: Readonly<Record<string, string>>,
  { method = 'GET', headers, body }: RequestInit = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const text = body === undefined || body === null ? undefined : String(body)
    const request = url.startsWith('https:') ? httpsRequest : httpRequest
    const asked = request(url, {
      method,
      headers: {
        ...always,
        ...Object.fromEntries(new Headers(headers)),
        ...(text !== undefined && { 'content-length': Buffer.byteLength(text) }),
      },
    })
    asked.once('error', reject)
    asked.once('response', async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const received = new Headers()
      for (let i = 0; i < answer.rawHeaders.length; i += 2) {
        received.append(answer.rawHeaders[i] ?? '', answer.rawHeaders[i + 1] ?? '')
      }
      const status = answer.statusCode ?? 0
      const isBare = status === 204 || status === 304
      resolve(new Response(isBare ? null : Buffer.concat(chunks), { status, headers: received }))
    })
    asked.end(text)
  })
}
