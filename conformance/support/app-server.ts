import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

export interface AppServer {
  readonly origin: string
  close(): Promise<void>
}

/** Serves the files of a browser app on a loopback origin of its own; a body or a file each. */
export async function serveApp(
  files: Readonly<Record<string, { readonly body: string } | { readonly file: string }>>,
): Promise<AppServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://app')
    const served = files[pathname]
    if (served === undefined) {
      response.writeHead(404).end()
      return
    }
    const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8'
    response.writeHead(200, { 'content-type': type })
    response.end('body' in served ? served.body : readFileSync(served.file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
