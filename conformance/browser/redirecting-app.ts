import { createServer } from 'node:http'

/** An app that answers its redirect URI with a redirect to another origin, as many do. */
export interface RedirectingApp {
  readonly redirectUri: string
  /** Where the browser comes to rest. */
  readonly home: string
  close(): void
}

export async function openRedirectingApp(): Promise<RedirectingApp> {
  const [home, callback] = await Promise.all([
    serve((response) => response.end('<!doctype html><title>the app</title>')),
    serve((response, url) => {
      response.writeHead(302, { location: `${home.origin}/home${url.search}` }).end()
    }),
  ])
  return {
    redirectUri: `${callback.origin}/callback`,
    home: home.origin,
    close() {
      home.close()
      callback.close()
    },
  }
}

async function serve(
  answer: (response: import('node:http').ServerResponse, url: URL) => void,
): Promise<{ readonly origin: string; close(): void }> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    answer(response, new URL(request.url ?? '/', 'http://app'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
