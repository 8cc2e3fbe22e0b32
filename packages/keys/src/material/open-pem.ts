import { createPrivateKey, type KeyObject } from 'node:crypto'
import { checkIterations } from './check-iterations.ts'
import { KeyMaterialError } from './key-material.ts'

// Nothing in a block looks like the end of one: a text of beginnings alone takes no longer.
const KEY_BLOCK =
  /-----BEGIN ((?:[A-Z0-9]+ )*?(?:ENCRYPTED )?PRIVATE KEY)-----((?:[^-]|-(?!----))+)-----END \1-----/g

/**
 * The one private key in PEM text: PKCS#8 (plain or encrypted), PKCS#1 or SEC1. OpenSSL says
 * `bad decrypt` and `interrupted or cancelled`; this says which file, why, and what to do.
 *
 * @throws {KeyMaterialError}
 */
export function openPem(text: string, where: string, passphrase: string | undefined): KeyObject {
  const blocks = [...text.matchAll(KEY_BLOCK)]
  const [block] = blocks
  if (block === undefined) throw new KeyMaterialError(where, ...whatInstead(text))
  if (blocks.length > 1) {
    throw new KeyMaterialError(
      where,
      `holds ${blocks.length} private keys`,
      'put each into a file of its own',
    )
  }
  const [pem = '', label = '', body = ''] = block
  if (label === 'OPENSSH PRIVATE KEY') {
    throw new KeyMaterialError(
      where,
      'is a key in the format of OpenSSH',
      'convert a copy of it: `ssh-keygen -p -m PKCS8 -f <copy>`',
    )
  }
  const isEncrypted = label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(body)
  if (isEncrypted && passphrase === undefined) {
    throw new KeyMaterialError(
      where,
      'the private key is encrypted, and no passphrase was given',
      'give its passphrase: `passphrase: file:PATH` in the configuration, `--passphrase-file PATH` on the command line',
    )
  }
  if (label === 'ENCRYPTED PRIVATE KEY') checkIterations(Buffer.from(body, 'base64'), where)
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase })
  } catch (cause) {
    throw new KeyMaterialError(where, ...translate(cause, isEncrypted), hide(cause))
  }
}

/** DER of PKCS#8 (plain or encrypted), PKCS#1 or SEC1. @throws {KeyMaterialError} */
export function openDer(
  bytes: Uint8Array,
  where: string,
  passphrase: string | undefined,
): KeyObject {
  if (passphrase !== undefined) checkIterations(bytes, where)
  const der = Buffer.from(bytes)
  let failure: unknown
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({
        key: der,
        format: 'der',
        type,
        ...(passphrase === undefined ? {} : { passphrase }),
      })
    } catch (error) {
      failure ??= error
    } finally {
      if (type === 'sec1') der.fill(0)
    }
  }
  if (isAboutPassphrase(failure)) {
    throw new KeyMaterialError(
      where,
      ...translate(failure, true, passphrase === undefined),
      hide(failure),
    )
  }
  throw new KeyMaterialError(
    where,
    'is neither a key in PEM, DER or JWK nor a PFX (PKCS#12) file',
    'expected PEM that begins with `-----BEGIN PRIVATE KEY-----`',
  )
}

/** What OpenSSL says, in words that name the way out. */
export function translate(
  error: unknown,
  isEncrypted: boolean,
  withoutPassphrase = false,
): [problem: string, fix: string] {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  if (withoutPassphrase || code === 'ERR_MISSING_PASSPHRASE' || /interrupted/i.test(message)) {
    return [
      'the private key is encrypted, and no passphrase was given',
      'give its passphrase: `passphrase: file:PATH` in the configuration, `--passphrase-file PATH` on the command line',
    ]
  }
  if (/unsupported/i.test(message) && !/decoder/i.test(message)) {
    return [
      'the private key is encrypted with an algorithm that is no longer supported (such as DES or RC2)',
      'encrypt a copy anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in old.pem -out new.pem`',
    ]
  }
  if (isEncrypted) {
    return [
      'the passphrase does not open the private key (OpenSSL: bad decrypt)',
      'check the passphrase: a newline at its end, another encoding, or that of another key',
    ]
  }
  return ['the private key cannot be read', 'the text is damaged or cut: export it again']
}

function isAboutPassphrase(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException
  return /bad.?decrypt|interrupted|passphrase/i.test(`${code} ${message}`)
}

/** The cause, as far as it is about OpenSSL; its message never holds key material. */
function hide(cause: unknown): ErrorOptions {
  return { cause }
}

function whatInstead(text: string): [problem: string, fix: string] {
  if (/-----BEGIN CERTIFICATE-----/.test(text)) {
    return ['there is a certificate and no private key', 'give the file with the private key']
  }
  if (/-----BEGIN [A-Z ]*PUBLIC KEY-----/.test(text)) {
    return ['there is a public key and no private one', 'give the private key that belongs to it']
  }
  if (/-----BEGIN CERTIFICATE REQUEST-----/.test(text)) {
    return ['holds a certificate request', 'give the private key that made it']
  }
  if (/BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(text)) {
    return [
      'the PEM text is cut, or its lines are joined',
      'keep the lines as exported: an environment variable needs real line ends, not `\\n`',
    ]
  }
  return [
    'holds no private key',
    'expected PEM that begins with `-----BEGIN PRIVATE KEY-----`, a JWK, or a PFX file',
  ]
}
