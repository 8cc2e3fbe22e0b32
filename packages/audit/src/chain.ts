import { createHash, createHmac, createSecretKey } from 'node:crypto'

/** Turns the hash before and the text of a row into the hash of the row. */
export type ChainHash = (previous: Uint8Array, seq: number, content: string) => Buffer

/**
 * SHA-256, or HMAC-SHA-256 when there is a key. Without a key, whoever can write the tables can
 * also write a consistent chain; with one, only who holds the key can.
 */
export function chainHash(key?: Uint8Array): ChainHash {
  // Made once: a key given as bytes costs four times the hash itself, for every row.
  const secret = key && createSecretKey(key)
  return (previous, seq, content) => {
    const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
    return hash.update(previous).update(`\n${seq}\n`).update(content, 'utf8').digest()
  }
}

/** What the first row of a chain follows: bound to the writer, so that chains cannot be swapped. */
export function chainStart(hash: ChainHash, writer: string, kind: string): Buffer {
  return hash(Buffer.alloc(32), 0, `scopegate audit chain ${kind} ${writer}`)
}

/**
 * What the head of a chain holds of its last row. With a key, whoever can write the tables cannot
 * make the head of an earlier row: the hash of that row is not enough.
 */
export function chainHead(hash: ChainHash, seq: number, last: Uint8Array): Buffer {
  return hash(last, seq, 'scopegate audit chain head')
}
