import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { MAX_ITERATIONS } from '../material/check-iterations.ts'
import { type Element, integer, item } from './der.ts'
import { derivePkcs12Key, PKCS12_IV, PKCS12_KEY, pkcs12Password } from './derive-pkcs12-key.ts'

/** Encrypted with what OpenSSL has given up (RC2); named so that the reader can say what to do. */
export class UnsupportedCipher extends Error {
  override readonly name = 'UnsupportedCipher'
}

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'

const TRIPLE_DES: Readonly<Record<string, readonly [cipher: string, keyBytes: number]>> = {
  '1.2.840.113549.1.12.1.3': ['des-ede3-cbc', 24],
  '1.2.840.113549.1.12.1.4': ['des-ede-cbc', 16],
}

const RC2: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.12.1.1': 'RC4-128',
  '1.2.840.113549.1.12.1.2': 'RC4-40',
  '1.2.840.113549.1.12.1.5': 'RC2-128',
  '1.2.840.113549.1.12.1.6': 'RC2-40',
}

const CIPHERS: Readonly<Record<string, readonly [cipher: string, keyBytes: number]>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16],
  '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24],
  '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32],
  '1.2.840.113549.3.7': ['des-ede3-cbc', 24],
}

const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

/** Of a derived key: the longest MAC. */
const MAX_KEY_BYTES = 64

/**
 * Decrypts by an AlgorithmIdentifier of PKCS#5 v2 (PBKDF2 with AES or 3DES) or PKCS#12 (3DES).
 *
 * @throws {UnsupportedCipher}
 * @throws if the passphrase is wrong or the text is damaged
 */
export function decryptContent(
  algorithm: Element,
  encrypted: Uint8Array,
  passphrase: string,
): Buffer {
  const oid = item(algorithm, 0).oid ?? ''
  if (oid === PBES2) return decryptPbes2(item(algorithm, 1), encrypted, passphrase)
  const [cipher, keyBytes] = TRIPLE_DES[oid] ?? []
  if (cipher === undefined || keyBytes === undefined) throw new UnsupportedCipher(RC2[oid] ?? oid)
  const salt = item(item(algorithm, 1), 0).octets
  const iterations = checkedIterations(item(item(algorithm, 1), 1))
  const password = pkcs12Password(passphrase)
  const key = derivePkcs12Key('sha1', PKCS12_KEY, password, salt, iterations, keyBytes)
  const iv = derivePkcs12Key('sha1', PKCS12_IV, password, salt, iterations, 8)
  return decrypt(cipher, key, iv, encrypted)
}

function decryptPbes2(parameters: Element, encrypted: Uint8Array, passphrase: string): Buffer {
  const scheme = item(parameters, 1)
  const [cipher, keyBytes] = CIPHERS[item(scheme, 0).oid ?? ''] ?? []
  if (cipher === undefined || keyBytes === undefined) {
    throw new UnsupportedCipher(item(scheme, 0).oid)
  }
  const key = derivePbkdf2(item(parameters, 0), passphrase, keyBytes)
  return decrypt(cipher, key, item(scheme, 1).octets, encrypted)
}

/** @see [RFC 8018 A.2](https://www.rfc-editor.org/rfc/rfc8018.html#appendix-A.2) */
export function derivePbkdf2(algorithm: Element, passphrase: string, keyBytes: number): Buffer {
  if (item(algorithm, 0).oid !== PBKDF2) throw new UnsupportedCipher(item(algorithm, 0).oid)
  const [salt, iterations, ...rest] = item(algorithm, 1).items
  if (salt === undefined || iterations === undefined) throw new TypeError('not PBKDF2 parameters')
  const length = rest.find(({ tag }) => tag === 'universal 2')
  const prf = rest.find(({ tag }) => tag === 'universal 16')
  const hash = prf === undefined ? 'sha1' : HMACS[item(prf, 0).oid ?? '']
  if (hash === undefined) throw new UnsupportedCipher('an unknown PRF')
  return pbkdf2Sync(
    passphrase,
    salt.octets,
    checkedIterations(iterations),
    Math.min(length === undefined ? keyBytes : integer(length), MAX_KEY_BYTES),
    hash,
  )
}

export function checkedIterations(element: Element): number {
  const iterations = integer(element)
  if (iterations >= 1 && iterations <= MAX_ITERATIONS) return iterations
  throw new UnsupportedCipher(`${iterations} iterations`)
}

export function hmacOf(oid: string | undefined): string | undefined {
  return HMACS[oid ?? '']
}

function decrypt(cipher: string, key: Buffer, iv: Uint8Array, encrypted: Uint8Array): Buffer {
  const decipher = createDecipheriv(cipher, key, iv)
  return Buffer.concat([decipher.update(encrypted), decipher.final()])
}
