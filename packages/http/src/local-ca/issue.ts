import 'reflect-metadata'
import { randomBytes } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { encodeNameConstraints, NAME_CONSTRAINTS } from './name-constraints.ts'
import type { CertificateNames } from './names.ts'

/** A certificate and its private key (PKCS#8), PEM. */
export interface KeyPairFiles {
  readonly cert: string
  readonly key: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Machines whose clocks are behind can use it at once. */
const BACK_MS = 3_600_000

/**
 * A CA that can speak for these names only, and makes no other CA.
 * @see RFC 5280 §4.2.1.9, §4.2.1.10
 */
export async function issueCa(options: {
  readonly commonName: string
  readonly names: CertificateNames
  readonly nowMs: number
  readonly lifeMs: number
}): Promise<KeyPairFiles> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [options.commonName] }],
    notBefore: new Date(options.nowMs - BACK_MS),
    notAfter: new Date(options.nowMs + options.lifeMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new Extension(NAME_CONSTRAINTS, true, encodeNameConstraints(options.names)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: pem(certificate.toString('pem')), key: await privatePem(keys.privateKey) }
}

/** A certificate of that CA for a server. `cert` does not hold the CA's: who trusts it has it. */
export async function issueServer(options: {
  readonly ca: KeyPairFiles
  readonly names: CertificateNames
  readonly nowMs: number
  /** Not beyond the CA's own end. */
  readonly lifeMs: number
}): Promise<KeyPairFiles> {
  const { names, nowMs } = options
  const ca = new X509Certificate(options.ca.cert)
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(options.ca.key),
    ALGORITHM,
    false,
    ['sign'],
  )
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const endMs = Math.min(nowMs + options.lifeMs, ca.notAfter.getTime())
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [names.dns.at(-1) ?? 'localhost'] }],
    issuer: ca.subjectName.toJSON(),
    notBefore: new Date(nowMs - BACK_MS),
    notAfter: new Date(endMs),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ip.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  })
  return { cert: pem(certificate.toString('pem')), key: await privatePem(keys.privateKey) }
}

/** The value of an extension of a certificate; `undefined` if it has none. */
export function extensionOf(cert: string, type: string): Uint8Array | undefined {
  const extension = new X509Certificate(cert).getExtension(type)
  return extension === null ? undefined : new Uint8Array(extension.value)
}

async function privatePem(key: CryptoKey): Promise<string> {
  return pem(PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY'))
}

const pem = (text: string) => `${text.trimEnd()}\n`

/** Positive, 127 random bits, never with a leading zero byte. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
