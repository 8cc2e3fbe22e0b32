import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ConnectProxy {
  readonly url: string
  /** `host:port` of every tunnel. */
  readonly tunnels: readonly string[]
  close(): Promise<void>
}

/** A forward proxy as hospitals have them: tunnels only. */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_, response) => response.writeHead(403).end())
  server.on('connect', (request, socket: Socket) => {
    const target = request.url ?? ''
    tunnels.push(target)
    const [host = '', port = ''] = target.split(':')
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const each of [socket, upstream]) {
      sockets.add(each)
      each.on('error', () => each.destroy())
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    close: () =>
      new Promise((resolve) => {
        for (const each of sockets) each.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
