import { once } from 'node:events'
import type { Socket } from 'node:net'

/** The next text of a socket with an encoding, at least that much of it. */
export async function readBytes(socket: Socket, bytes: number): Promise<string> {
  let got = ''
  while (got.length < bytes) got += (await once(socket, 'data'))[0]
  return got
}
