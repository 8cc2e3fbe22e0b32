import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'

/** An app behind the gateway that answers with what it was asked. */
export interface EchoApp {
  readonly url: string
  /** Requests that reached it. */
  readonly requests: readonly EchoedRequest[]
  /** Headers of its next answers. */
  readonly answerHeaders: [string, string][]
  close(): Promise<void>
}

export interface EchoedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/**
 * `/events` is a stream of events that does not end; a WebSocket is accepted anywhere and says
 * nothing; a browser gets a page, everybody else JSON.
 */
export async function openEchoApp(): Promise<EchoApp> {
  const requests: EchoedRequest[] = []
  const answerHeaders: [string, string][] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const echoed = keep(request, Buffer.concat(chunks).toString())
    if (request.url?.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: begun\n\n')
      return
    }
    const isPage = request.headers.accept?.includes('text/html')
    const text = JSON.stringify(echoed)
    response.writeHead(
      200,
      [
        ['content-type', isPage ? 'text/html; charset=utf-8' : 'application/json'],
        ...answerHeaders,
      ].flat(),
    )
    response.end(isPage ? pageOf(echoed, text) : text)
  })
  server.on('upgrade', (request, socket) => {
    keep(request, '')
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.on('error', () => socket.destroy())
  })

  function keep(request: IncomingMessage, body: string): EchoedRequest {
    const { method = '', url = '', headers } = request
    const echoed = { method, url, headers, body }
    requests.push(echoed)
    return echoed
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answerHeaders,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function pageOf({ url, headers }: EchoedRequest, text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<!doctype html><title>App</title><h1>App at ${url.replaceAll('<', '&lt;')}</h1>
<p id="user">${String(headers['x-user'])}</p><pre id="echo">${safe}</pre>`
}
