import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: unknown
}

/** A server of documents on loopback, which remembers what it was asked. */
export interface DocumentServer {
  readonly origin: string
  readonly asked: readonly Asked[]
  /** The documents by path; they may be changed at any time. `undefined`: the connection is cut. */
  readonly documents: Map<string, (asked: Asked) => Answer | Promise<Answer> | undefined>
  /** How often a path was asked for. */
  count(path: string): number
  close(): Promise<void>
}

export async function serveDocuments(): Promise<DocumentServer> {
  const asked: Asked[] = []
  const documents: DocumentServer['documents'] = new Map()
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    const one = { method, path, headers, body: await text(request) }
    asked.push(one)
    const found = documents.get(path)
    const answer = found === undefined ? { status: 404, body: {} } : await found(one)
    if (answer === undefined) {
      request.destroy()
      return
    }
    const { status = 200, headers: extra, body = '' } = answer
    response.writeHead(status, { 'content-type': 'application/json', ...extra })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    documents,
    count: (path) => asked.filter((each) => each.path === path).length,
    close() {
      server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}
