import { request } from 'node:http'
import type { Duplex } from 'node:stream'

export interface OpenedWebSocket {
  readonly status: number
  /** Resolves when it is closed; at once if it was refused. */
  readonly closed: Promise<void>
  destroy(): void
}

/** Shakes hands for a WebSocket with the headers given, which the one of Node cannot send. */
export function openWebSocket(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<OpenedWebSocket> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      headers: {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    })
    asked.once('error', reject)
    asked.once('response', (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, closed: Promise.resolve(), destroy: () => {} })
    })
    asked.once('upgrade', (response, socket: Duplex) => {
      const closed = new Promise<void>((over) => socket.once('close', () => over()))
      socket.on('error', () => socket.destroy())
      socket.resume()
      resolve({ status: response.statusCode ?? 0, closed, destroy: () => socket.destroy() })
    })
    asked.end()
  })
}
