import { createPublicKey, type KeyObject } from 'node:crypto'
import { KeyMaterialError } from '../material/key-material.ts'

/** Whom the certificate is to name. */
export interface RequestNames {
  /** A distinguished name: `CN=partner1, O=Clinic, C=AT`. */
  readonly subject: string
  /** DNS names, for the extension of alternative names. */
  readonly dnsNames?: readonly string[]
}

type Parameters = readonly [
  algorithm: EcKeyImportParams | RsaHashedImportParams | Algorithm,
  hash?: string,
]

const CURVES: Readonly<Record<string, Parameters>> = {
  prime256v1: [{ name: 'ECDSA', namedCurve: 'P-256' }, 'SHA-256'],
  secp384r1: [{ name: 'ECDSA', namedCurve: 'P-384' }, 'SHA-384'],
  secp521r1: [{ name: 'ECDSA', namedCurve: 'P-521' }, 'SHA-512'],
}

/**
 * A certificate signing request, PEM, signed by the key itself.
 *
 * @throws {KeyMaterialError} if the subject is not a name
 * @see [RFC 2986](https://www.rfc-editor.org/rfc/rfc2986.html)
 */
export async function createRequest(
  privateKey: KeyObject,
  { subject, dnsNames = [] }: RequestNames,
): Promise<string> {
  // Loaded when it is needed: a server that makes no requests does without.
  await import('reflect-metadata')
  const { Name, Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await import(
    '@peculiar/x509'
  )
  let name: string
  try {
    name = new Name(subject).toString()
  } catch (cause) {
    throw new KeyMaterialError('subject', 'is not a distinguished name', NAME_FIX, { cause })
  }
  if (name === '') throw new KeyMaterialError('subject', 'is empty', NAME_FIX)
  const [algorithm, hash] = parametersOf(privateKey)
  const request = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys: {
      privateKey: privateKey.toCryptoKey(algorithm, false, ['sign']) as CryptoKey,
      publicKey: createPublicKey(privateKey).toCryptoKey(algorithm, true, ['verify']) as CryptoKey,
    },
    signingAlgorithm: { ...algorithm, ...(hash === undefined ? {} : { hash }) },
    ...(dnsNames.length === 0
      ? {}
      : {
          extensions: [
            new SubjectAlternativeNameExtension(
              dnsNames.map((value) => ({ type: 'dns' as const, value })),
            ),
          ],
        }),
  })
  return `${request.toString('pem').trimEnd()}\n`
}

const NAME_FIX = 'write it like `CN=partner1, O=Clinic, C=AT`'

function parametersOf(key: KeyObject): Parameters {
  if (key.asymmetricKeyType === 'rsa') return [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }]
  return CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? [{ name: 'Ed25519' }]
}
