import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** PEM. */
export interface TestPair {
  readonly cert: string
  readonly key: string
}

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
}

/** A private authority, and what it certifies: a server on 127.0.0.1, and a client. */
export async function makeTestCertificates(): Promise<{
  readonly ca: string
  readonly server: TestPair
  readonly client: TestPair
}> {
  const caKeys = await generate()
  const validity = {
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 86_400_000),
  }
  const ca = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString('hex'),
    name: 'CN=Authority of a test',
    signingAlgorithm: RSA,
    keys: caKeys,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
    ...validity,
  })
  const issue = async (name: string): Promise<TestPair> => {
    const keys = await generate()
    const certificate = await X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString('hex'),
      subject: `CN=${name}`,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: RSA,
      extensions: [
        new SubjectAlternativeNameExtension([
          { type: 'ip', value: '127.0.0.1' },
          { type: 'dns', value: 'localhost' },
        ]),
      ],
      ...validity,
    })
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
    return {
      cert: certificate.toString('pem'),
      key: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    }
  }
  return {
    ca: ca.toString('pem'),
    server: await issue('127.0.0.1'),
    client: await issue('lab-reader'),
  }
}

async function generate(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify'])) as CryptoKeyPair
}
