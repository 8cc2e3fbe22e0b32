import { type KeyObject, X509Certificate } from 'node:crypto'
import { type KeyCertificate, KeyMaterialError } from './key-material.ts'

const BLOCK =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(?:[^-]|-(?!----))+-----END [A-Z0-9 ]+-----/g
/** A chain has three or four; who is whose issuer is tried for each pair. */
export const MAX_CERTIFICATES = 32

/** Certificates in PEM text, in its order, or the one DER certificate. @throws {KeyMaterialError} */
export function readCertificates(
  certificate: string | Uint8Array,
  where: string,
): readonly X509Certificate[] {
  const text = typeof certificate === 'string' ? certificate : textOf(certificate)
  const blocks = text.match(BLOCK) ?? (typeof certificate === 'string' ? [] : [certificate])
  if (blocks.length === 0) {
    throw new KeyMaterialError(
      where,
      'holds no certificate',
      'expected PEM that begins with `-----BEGIN CERTIFICATE-----`',
    )
  }
  if (blocks.length > MAX_CERTIFICATES) {
    throw new KeyMaterialError(
      where,
      `holds ${blocks.length} certificates; ${MAX_CERTIFICATES} are taken at most`,
      'give the chain of this key alone',
    )
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new KeyMaterialError(
        where,
        `certificate ${index + 1} cannot be read`,
        'it is damaged, or not a certificate: export it again',
        { cause },
      )
    }
  })
}

/**
 * The chain of this key: the certificate that certifies it, then those that issued it, as far as
 * they were given, in whatever order they came. Signatures of the chain are checked, trust is not.
 *
 * @throws {KeyMaterialError} if no certificate belongs to the key
 */
export function certificateOf(
  key: KeyObject,
  given: readonly X509Certificate[],
  where: string,
): KeyCertificate {
  const leaf = given.find((certificate) => certificate.checkPrivateKey(key))
  if (leaf === undefined) {
    const names = given.map(({ subject }) => `\`${oneLine(subject)}\``).join(', ')
    throw new KeyMaterialError(
      where,
      `the certificate ${names} does not belong to this private key: it certifies another public key`,
      'take the certificate and the key of one export, or request a certificate for this key (`scopegate key csr`)',
    )
  }
  const chain = [leaf]
  for (let last = leaf; ; ) {
    const issuer = given.find(
      (one) => !chain.includes(one) && last.checkIssued(one) && last.verify(one.publicKey),
    )
    if (issuer === undefined) break
    chain.push(issuer)
    last = issuer
  }
  return { chain, ...summaryOf(chain), x5c: chain.map(({ raw }) => raw.toString('base64')) }
}

/** What is said of a chain: names, times and thumbprints of its leaf. */
export function summaryOf(
  chain: readonly X509Certificate[],
): Omit<KeyCertificate, 'chain' | 'x5c'> {
  const [leaf] = chain
  if (leaf === undefined) throw new TypeError('a chain has a leaf')
  return {
    subject: oneLine(leaf.subject),
    issuer: oneLine(leaf.issuer),
    notBefore: seconds(leaf.validFrom),
    notAfter: seconds(leaf.validTo),
    x5t: thumbprint(leaf.fingerprint),
    x5tS256: thumbprint(leaf.fingerprint256),
  }
}

/** The chain as PEM, leaf first. */
export function pemOf({ chain }: KeyCertificate): string {
  return chain.map((certificate) => certificate.toString()).join('')
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1000)
}

/** `AB:CD…` as base64url without padding: Entra refuses it with. */
function thumbprint(fingerprint: string): string {
  return Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')
}

function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ')
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
