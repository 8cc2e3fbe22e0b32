import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** PEM. */
export interface LabTls {
  readonly certificate: string
  readonly key: string
}

export interface LoopbackServer {
  readonly origin: string
  readonly server: Server
  close(): Promise<void>
}

/** Thrown by what answers: the connection ends without an answer. */
export class ConnectionDropped extends Error {
  override readonly name = 'ConnectionDropped'
}

/** Listens on 127.0.0.1; `port` 0 is any that is free. */
export async function listenOnLoopback(
  listener: RequestListener,
  { port = 0, tls }: { readonly port?: number; readonly tls?: LabTls | undefined },
): Promise<LoopbackServer> {
  const server = tls
    ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener)
    : createServer(listener)
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${bound}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const MAX_BODY_BYTES = 64 * 1024

/** As a listener of Node: small requests, read whole. */
export function listenerOf(
  answer: (request: Request) => Promise<Response>,
  origin: () => string,
): RequestListener {
  return (incoming, outgoing) => {
    const gone = new AbortController()
    outgoing.once('close', () => gone.abort())
    read(incoming, origin(), gone.signal)
      .then((request) => request && answer(request))
      .then(async (response = new Response(null, { status: 413 })) => {
        const body = Buffer.from(await response.arrayBuffer())
        outgoing.writeHead(response.status, Object.fromEntries(response.headers))
        outgoing.end(body)
      })
      .catch((error: unknown) => {
        if (error instanceof ConnectionDropped) outgoing.destroy()
        else if (outgoing.headersSent) outgoing.destroy()
        else outgoing.writeHead(500).end()
      })
  }
}

async function read(
  incoming: IncomingMessage,
  origin: string,
  signal: AbortSignal,
): Promise<Request | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk as Buffer)
  }
  const { method = 'GET', headers } = incoming
  return new Request(new URL(incoming.url ?? '/', origin), {
    method,
    signal,
    headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: Buffer.concat(chunks) }),
  })
}
