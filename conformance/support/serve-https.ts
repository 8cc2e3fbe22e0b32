import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureLocalCertificate } from '@scopegate/http'

export interface HttpsServer {
  readonly origin: string
  /** `127.0.0.1:port` */
  readonly host: string
  /** PEM of the authority that nobody else trusts. */
  readonly ca: string
  close(): Promise<void>
}

/** Listens over TLS, with a certificate of an authority of its own. */
export async function listenHttps(
  make: (origin: string) => RequestListener,
  /** For instance to ask clients for a certificate. */
  options: Pick<ServerOptions, 'requestCert' | 'rejectUnauthorized'> = {},
): Promise<HttpsServer> {
  const dir = await mkdtemp(join(tmpdir(), 'https-'))
  const { cert, key, caFile } = await ensureLocalCertificate({ dir, names: [], nowMs: Date.now() })
  const ca = await readFile(caFile, 'utf8')
  await rm(dir, { recursive: true })
  let listener: RequestListener | undefined
  const server = createServer({ ...options, cert, key }, (incoming, outgoing) =>
    listener?.(incoming, outgoing),
  )
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const origin = `https://${host}`
  listener = make(origin)
  return {
    ...{ origin, host, ca },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The same for what answers a `Request`. */
export function serveHttps(
  make: (origin: string) => (request: Request) => Promise<Response>,
): Promise<HttpsServer> {
  return listenHttps((origin) => {
    const answer = make(origin)
    return async (incoming, outgoing) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const headers = new Headers()
      for (const [name, value] of Object.entries(incoming.headers)) {
        for (const each of [value].flat()) if (each !== undefined) headers.append(name, each)
      }
      const request = new Request(`${origin}${incoming.url}`, {
        method: incoming.method ?? 'GET',
        headers,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      })
      const response = await answer(request)
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      outgoing.end(Buffer.from(await response.arrayBuffer()))
    }
  })
}
