import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import type { SignatureAlgorithm } from '../key-signer.ts'
import { isPfx, openPfx } from '../pkcs12/open-pfx.ts'
import { certificateOf, MAX_CERTIFICATES, readCertificates } from './certificate-chain.ts'
import { keyKindOf } from './key-kind.ts'
import { type KeyMaterial, KeyMaterialError } from './key-material.ts'
import { openJwk } from './open-jwk.ts'
import { openDer, openPem } from './open-pem.ts'

/** A private key as it comes from a file, a reference or an upload. */
export interface KeyMaterialInput {
  /** PEM or JWK; or base64 of a PFX. One of `text` and `bytes`. */
  readonly text?: string
  /** Any format. */
  readonly bytes?: Uint8Array
  /** Of an encrypted key or a PFX. */
  readonly passphrase?: string
  /** PEM (leaf and chain in any order) or DER. Missing: the one in the PEM, JWK or PFX, if any. */
  readonly certificate?: string | Uint8Array
  /** What errors call it: the path or the reference. */
  readonly name: string
}

interface Opened {
  readonly key: KeyObject
  readonly certificates: readonly X509Certificate[]
  readonly kid?: string
  readonly alg?: SignatureAlgorithm
}

/**
 * Reads a private key in PEM (PKCS#8 plain or encrypted, PKCS#1, SEC1), DER, JWK or PFX (PKCS#12),
 * with its certificate chain. A certificate of another key is refused, and so are keys that are too
 * small or cannot sign. Times of the certificate are not looked at here: `findKeyWarnings` does.
 *
 * @throws {KeyMaterialError}
 */
export function readKeyMaterial(input: KeyMaterialInput): KeyMaterial {
  const { name } = input
  const opened = open(input)
  const { description, algorithms } = keyKindOf(opened.key, name)
  if (opened.alg !== undefined && !algorithms.includes(opened.alg)) {
    throw new KeyMaterialError(name, `the JWK says \`alg: ${opened.alg}\`, but is ${description}`)
  }
  const certificates =
    input.certificate === undefined
      ? opened.certificates
      : readCertificates(input.certificate, `certificate of ${name}`)
  if (certificates.length > MAX_CERTIFICATES) {
    throw new KeyMaterialError(name, `holds ${certificates.length} certificates`)
  }
  return {
    name,
    privateKey: opened.key,
    publicKey: createPublicKey(opened.key),
    description,
    algorithms: opened.alg === undefined ? algorithms : [opened.alg],
    ...(opened.kid === undefined ? {} : { kid: opened.kid }),
    ...(certificates.length === 0
      ? {}
      : { certificate: certificateOf(opened.key, certificates, name) }),
  }
}

function open({ text: given, bytes, passphrase, name }: KeyMaterialInput): Opened {
  const text = (given ?? asText(bytes ?? new Uint8Array(0)))?.replace(/^\uFEFF/, '')
  if (text !== undefined) {
    if (text.trim() === '') throw new KeyMaterialError(name, 'is empty')
    if (text.trimStart().startsWith('{')) {
      const { x5c, ...jwk } = openJwk(text, name)
      return { ...jwk, certificates: x5c.flatMap((der) => readCertificates(der, name)) }
    }
    if (text.includes('-----BEGIN ')) {
      const key = openPem(text, name, passphrase)
      const certificates = text.includes('CERTIFICATE-----') ? readCertificates(text, name) : []
      return { key, certificates }
    }
  }
  const der = bytes !== undefined && text === undefined ? bytes : fromBase64(text ?? '', name)
  if (!isPfx(der)) return { key: openDer(der, name, passphrase), certificates: [] }
  const pfx = openPfx(der, name, passphrase)
  return {
    key: pfx.key,
    certificates: pfx.certificates.flatMap((one) => readCertificates(one, name)),
  }
}

/** `undefined` for what is binary. */
function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function fromBase64(text: string, name: string): Uint8Array {
  const compact = text.replace(/\s+/g, '')
  if (/^M[A-Za-z0-9+/]{40,}={0,2}$/.test(compact)) return Buffer.from(compact, 'base64')
  // Says what is there instead; never returns.
  openPem(text, name, undefined)
  throw new KeyMaterialError(name, 'holds no private key')
}
