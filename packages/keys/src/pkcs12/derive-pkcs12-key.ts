import { createHash } from 'node:crypto'

/** What the derived bytes are for. */
export const PKCS12_KEY = 1
export const PKCS12_IV = 2
export const PKCS12_MAC = 3

/**
 * Key derivation of PKCS#12, which only files of this format still use.
 *
 * @param password UTF-16BE with two zero octets at its end, as `pkcs12Password` makes it
 * @see [RFC 7292 B.2](https://www.rfc-editor.org/rfc/rfc7292.html#appendix-B.2)
 */
export function derivePkcs12Key(
  hash: string,
  purpose: number,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Buffer {
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64
  const diversifier = Buffer.alloc(block, purpose)
  const input = Buffer.concat([repeat(salt, block), repeat(password, block)])
  const parts: Buffer[] = []
  for (let made = 0; made < length; ) {
    let digest = createHash(hash).update(diversifier).update(input).digest()
    for (let round = 1; round < iterations; round++) {
      digest = createHash(hash).update(digest).digest()
    }
    parts.push(digest)
    made += digest.length
    const step = repeat(digest, block).subarray(0, block)
    for (let start = 0; start < input.length; start += block) addPlusOne(input, start, step)
  }
  input.fill(0)
  return Buffer.concat(parts).subarray(0, length)
}

export function pkcs12Password(passphrase: string): Buffer {
  return Buffer.from(`${passphrase}\0`, 'utf16le').swap16()
}

/** Copies to a multiple of the block. */
function repeat(bytes: Uint8Array, block: number): Buffer {
  const length = block * Math.ceil(bytes.length / block)
  const copies = Buffer.alloc(length)
  for (let at = 0; at < length; at++) copies[at] = bytes[at % bytes.length]!
  return copies
}

function addPlusOne(input: Buffer, start: number, step: Uint8Array): void {
  let carry = 1
  for (let at = step.length - 1; at >= 0; at--) {
    carry += input[start + at]! + step[at]!
    input[start + at] = carry & 0xff
    carry >>= 8
  }
}
