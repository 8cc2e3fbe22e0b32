import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { duplexPair } from 'node:stream'
import type { ProviderFetch } from '@scopegate/oidc-login'

type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A fetch whose requests a handler of this process answers, without a socket: the server asks itself,
 * also where its public address does not lead back to it (a proxy in front, a CA of its own). The
 * host of the URL is what the handler sees; whose host it is must be checked before.
 */
export function createInProcessFetch(handler: NodeHandler): ProviderFetch {
  const server = createServer(handler)

  return (address, { method = 'GET', headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const url = new URL(address)
      const asked = request({
        method,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, ...Object.fromEntries(new Headers(headers)) },
        ...(signal ? { signal } : {}),
        createConnection: () => {
          const [near, far] = duplexPair()
          server.emit('connection', Object.assign(far, { remoteAddress: '127.0.0.1' }))
          return near
        },
      })
      asked.once('error', reject)
      asked.once('response', (answer) => {
        collect(answer).then(({ status, bytes }) => {
          const isBare = bytes.length === 0 || status === 204 || status === 304
          resolve(new Response(isBare ? null : bytes, { status, headers: headersOf(answer) }))
        }, reject)
      })
      asked.end(textOf(body))
    })
}

async function collect(answer: IncomingMessage) {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { status: answer.statusCode ?? 500, bytes: Buffer.concat(chunks) }
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
  return headers
}

/** What a token request holds: a form. */
function textOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('a body of this kind cannot be sent in process')
}
