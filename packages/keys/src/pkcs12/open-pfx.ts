import { createPrivateKey, type KeyObject } from 'node:crypto'
import { checkIterations } from '../material/check-iterations.ts'
import { KeyMaterialError } from '../material/key-material.ts'
import { translate } from '../material/open-pem.ts'
import { isMacRight } from './check-mac.ts'
import { decryptContent, UnsupportedCipher } from './decrypt-content.ts'
import { type Element, item, readElement } from './der.ts'

const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const KEY_BAG = '1.2.840.113549.1.12.10.1.1'
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2'
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3'
const NESTED_BAGS = '1.2.840.113549.1.12.10.1.6'
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1'

const MAX_NESTING = 4
/** Keys and certificates are in one each, as everybody writes it. */
const MAX_PARTS = 8

interface Bags {
  readonly keys: { readonly der: Uint8Array; readonly encrypted: boolean }[]
  readonly certificates: Uint8Array[]
}

/** Whether the bytes look like PKCS#12: a sequence of version 3 and a ContentInfo of data. */
export function isPfx(bytes: Uint8Array): boolean {
  try {
    const pfx = readElement(bytes)
    return pfx.items[0]?.octets[0] === 3 && pfx.items[1]?.items[0]?.oid === DATA
  } catch {
    return false
  }
}

/**
 * The private key and the certificates (DER) of a PFX as OpenSSL, Windows and Java write it:
 * password integrity, AES (PBES2) or 3DES. The key itself is decrypted by OpenSSL.
 *
 * @throws {KeyMaterialError}
 * @see [RFC 7292](https://www.rfc-editor.org/rfc/rfc7292.html)
 */
export function openPfx(
  bytes: Uint8Array,
  where: string,
  passphrase: string | undefined,
): { readonly key: KeyObject; readonly certificates: readonly Uint8Array[] } {
  let bags: Bags
  try {
    bags = readBags(bytes, where, passphrase ?? '')
  } catch (error) {
    if (error instanceof KeyMaterialError) throw error
    if (error instanceof UnsupportedCipher) throw new KeyMaterialError(where, ...outdated(error))
    throw new KeyMaterialError(where, 'the PFX is damaged', 'export it again', { cause: error })
  }
  const [first, ...others] = bags.keys
  if (first === undefined) {
    throw new KeyMaterialError(
      where,
      'the PFX holds no private key',
      'export it with its private key (Windows: "Yes, export the private key")',
    )
  }
  if (others.length > 0) {
    throw new KeyMaterialError(
      where,
      `the PFX holds ${bags.keys.length} private keys`,
      'export the one to use alone',
    )
  }
  return { key: openKey(first, where, passphrase ?? ''), certificates: bags.certificates }
}

function readBags(bytes: Uint8Array, where: string, passphrase: string): Bags {
  const [, authSafe, macData] = readElement(bytes).items
  const content = item(item(authSafe, 1), 0).octets
  if (macData !== undefined && !isMacRight(macData, content, passphrase)) {
    throw new KeyMaterialError(
      where,
      passphrase === ''
        ? 'the PFX is protected, and no passphrase was given'
        : 'the passphrase does not open the PFX, or the file was altered',
      'give the passphrase that was set at its export: `passphrase: file:PATH` in the configuration, `--passphrase-file PATH` on the command line',
    )
  }
  const bags: Bags = { keys: [], certificates: [] }
  const parts = readElement(content).items
  // Each may be protected by itself, and takes its time.
  if (parts.length > MAX_PARTS) throw new TypeError('too many parts')
  for (const part of parts) {
    collect(readElement(contentOf(part, passphrase)), bags, 0)
  }
  return bags
}

/** SafeContents of one ContentInfo, decrypted if need be. */
function contentOf(part: Element, passphrase: string): Uint8Array {
  const oid = item(part, 0).oid
  const value = item(item(part, 1), 0)
  if (oid === DATA) return value.octets
  if (oid !== ENCRYPTED_DATA) throw new UnsupportedCipher('protection by a public key')
  const [, algorithm, encrypted] = item(value, 1).items
  if (algorithm === undefined || encrypted === undefined) throw new TypeError('no content')
  return decryptContent(algorithm, encrypted.octets, passphrase)
}

function collect(safe: Element, bags: Bags, depth: number): void {
  for (const bag of safe.items) {
    const value = item(item(bag, 1), 0)
    switch (item(bag, 0).oid) {
      case KEY_BAG:
        bags.keys.push({ der: value.raw, encrypted: false })
        break
      case SHROUDED_KEY_BAG:
        bags.keys.push({ der: value.raw, encrypted: true })
        break
      case CERTIFICATE_BAG:
        if (item(value, 0).oid === X509_CERTIFICATE) {
          bags.certificates.push(item(item(value, 1), 0).octets)
        }
        break
      case NESTED_BAGS:
        if (depth >= MAX_NESTING) throw new TypeError('bags in bags in bags')
        collect(value, bags, depth + 1)
        break
    }
  }
}

function openKey(
  { der, encrypted }: Bags['keys'][number],
  where: string,
  passphrase: string,
): KeyObject {
  if (encrypted) checkIterations(der, where)
  try {
    const key = Buffer.from(der)
    return createPrivateKey({
      key,
      format: 'der',
      type: 'pkcs8',
      ...(encrypted ? { passphrase } : {}),
    })
  } catch (cause) {
    throw new KeyMaterialError(where, ...translate(cause, encrypted), { cause })
  }
}

function outdated({ message }: UnsupportedCipher): [problem: string, fix: string] {
  return [
    `the PFX is protected with ${message}, which is broken and no longer supported`,
    'export it anew with AES-256 (Windows: "AES256-SHA256"), or convert it: `openssl pkcs12 -legacy -in old.pfx -nodes | openssl pkcs12 -export -out new.pfx`',
  ]
}
