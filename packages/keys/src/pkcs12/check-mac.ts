import { createHmac, timingSafeEqual } from 'node:crypto'
import { checkedIterations, derivePbkdf2, hmacOf, UnsupportedCipher } from './decrypt-content.ts'
import { type Element, item } from './der.ts'
import { derivePkcs12Key, PKCS12_MAC, pkcs12Password } from './derive-pkcs12-key.ts'

const PBMAC1 = '1.2.840.113549.1.5.14'

const HASHES: Readonly<Record<string, readonly [hash: string, bytes: number]>> = {
  '1.3.14.3.2.26': ['sha1', 20],
  '2.16.840.1.101.3.4.2.4': ['sha224', 28],
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
}

/**
 * Whether the passphrase is that of the file, and the file as it was written.
 *
 * @see [RFC 7292 §5.1](https://www.rfc-editor.org/rfc/rfc7292.html#section-5.1), for PBMAC1 RFC 9579
 * @throws {UnsupportedCipher}
 */
export function isMacRight(macData: Element, content: Uint8Array, passphrase: string): boolean {
  const digestInfo = item(macData, 0)
  const algorithm = item(digestInfo, 0)
  const expected = item(digestInfo, 1).octets
  const oid = item(algorithm, 0).oid ?? ''
  if (oid === PBMAC1) {
    const parameters = item(algorithm, 1)
    const hash = hmacOf(item(item(parameters, 1), 0).oid)
    if (hash === undefined) throw new UnsupportedCipher('an unknown MAC')
    const key = derivePbkdf2(item(parameters, 0), passphrase, expected.length)
    return equal(createHmac(hash, key).update(content).digest(), expected)
  }
  const [hash, bytes] = HASHES[oid] ?? []
  if (hash === undefined || bytes === undefined) throw new UnsupportedCipher(`MAC ${oid}`)
  const iterations = macData.items[2] === undefined ? 1 : checkedIterations(macData.items[2])
  const salt = item(macData, 1).octets
  const password = pkcs12Password(passphrase)
  const key = derivePkcs12Key(hash, PKCS12_MAC, password, salt, iterations, bytes)
  return equal(createHmac(hash, key).update(content).digest(), expected)
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
