import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What an API behind the gateway got. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface TestUpstream {
  readonly url: string
  readonly seen: SeenRequest[]
  readonly server: Server
  close(): Promise<void>
}

/** An HTTP server on a free port. Without `answer` it says as JSON what it got. */
export async function openUpstream(answer?: RequestListener): Promise<TestUpstream> {
  const seen: SeenRequest[] = []
  const server = createServer(async (request, response) => {
    if (answer !== undefined) return answer(request, response)
    const body = await text(request)
    const { method = '', url = '', headers, rawHeaders } = request
    const got = { method, url, headers, rawHeaders, body }
    seen.push(got)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(got))
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    server,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
