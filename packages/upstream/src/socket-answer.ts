import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** An answer for somebody who asked for a WebSocket, name and value of headers by turns. */
export interface SocketAnswer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Uint8Array | string
}

/** Answers a handshake with something else than a WebSocket, and hangs up. */
export function answerSocket(socket: Duplex, { status, headers, body }: SocketAnswer): void {
  if (socket.destroyed) return
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...linesOf(headers)]
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close', '', '')
  socket.write(lines.join('\r\n'), 'latin1')
  socket.end(body)
}

/** Says that the protocol is switched. @param headers of the upstream, with those of the hop */
export function switchProtocols(socket: Duplex, headers: readonly string[]): void {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket']
  socket.write([...lines, ...linesOf(headers), '', ''].join('\r\n'), 'latin1')
}

function linesOf(headers: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  return lines
}
