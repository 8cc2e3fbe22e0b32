import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** One answer of a provider, as odd as a test wants it. */
export interface ScriptedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
  /** Nothing, for ever. */
  readonly hang?: boolean
  /** The connection is closed in place of an answer. */
  readonly hangUp?: boolean
}

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly form: URLSearchParams
}

export type Script = (request: SeenRequest, count: number) => ScriptedAnswer

export interface ScriptedPeer {
  readonly origin: string
  readonly tokenEndpoint: string
  readonly requests: SeenRequest[]
  /** From now on. */
  answer(script: Script | ScriptedAnswer): void
}

/** A token answer without anything odd. */
export const PLAIN_TOKEN = {
  access_token: 'an-access-token',
  token_type: 'Bearer',
  expires_in: 300,
  scope: 'system/Observation.rs',
}

/** A provider that answers what the script says; it ends with the tests of the file. */
export async function startScriptedPeer(
  script: Script | ScriptedAnswer = { body: PLAIN_TOKEN },
  tls?: { readonly cert: string; readonly key: string; readonly ca?: string },
): Promise<ScriptedPeer> {
  let current = script
  const requests: SeenRequest[] = []
  const handler: Parameters<typeof createServer>[1] = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const seen = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        form: new URLSearchParams(Buffer.concat(chunks).toString()),
      }
      requests.push(seen)
      const {
        status = 200,
        headers,
        body = '',
        hang,
        hangUp,
      } = typeof current === 'function' ? current(seen, requests.length) : current
      if (hangUp) request.socket.destroy()
      if (hang || hangUp) return
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(text)
    })
  }
  const server: Server = tls
    ? createTlsServer({ ...tls, ...(tls.ca && { requestCert: true }) }, handler)
    : createServer(handler)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  return {
    origin,
    tokenEndpoint: `${origin}/token`,
    requests,
    answer(next) {
      current = next
    },
  }
}
