import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { KeyPairFiles } from './issue.ts'
import { NAME_CONSTRAINTS, permitsNames } from './name-constraints.ts'
import { type CertificateNames, certificateNames } from './names.ts'

export interface LocalCertificate {
  /** The certificate of the CA, for those who shall trust it. */
  readonly caFile: string
  /** There was none that fits: whoever trusted an earlier one must trust this one. */
  readonly isNewCa: boolean
  /** A certificate was made by this call. */
  readonly isNew: boolean
  /** PEM, for the server. */
  readonly cert: string
  readonly key: string
  readonly names: readonly string[]
  /** Epoch milliseconds. */
  readonly endsAtMs: number
}

export interface LocalCertificateOptions {
  /** Holds `ca.crt`, `ca.key`, `server.crt` and `server.key`; made if missing, 0700. */
  readonly dir: string
  /** Besides localhost, 127.0.0.1 and ::1. */
  readonly names: readonly string[]
  readonly nowMs: number
}

const DAY_MS = 86_400_000
const CA_LIFE_MS = 730 * DAY_MS
/** The longest that browsers accept. */
const SERVER_LIFE_MS = 397 * DAY_MS
const RENEW_MS = 30 * DAY_MS

/**
 * The certificate of this machine's own CA for these names; what is there and good is kept. The CA
 * is made anew when it ends within 30 days or was made for other names, which it cannot speak for;
 * the server's certificate also when it does not name exactly these. Private keys are files of mode
 * 0600. Two processes that make one at once: the last wins, both have one that works.
 *
 * @throws {RangeError} for what is no name
 */
export async function ensureLocalCertificate(
  options: LocalCertificateOptions,
): Promise<LocalCertificate> {
  const { dir, nowMs } = options
  const names = certificateNames(options.names)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const knownCa = await readPair(dir, 'ca')
  const ca = await goodCa(knownCa, names, nowMs)
  const server = ca === undefined ? undefined : await readPair(dir, 'server')
  const isGood = ca !== undefined && server !== undefined && isGoodServer(server, ca, names, nowMs)
  const pair = isGood ? server : await makePair(dir, ca, names, nowMs)
  return {
    caFile: join(dir, 'ca.crt'),
    isNewCa: ca === undefined,
    isNew: !isGood,
    cert: pair.cert,
    key: pair.key,
    names: [...names.dns, ...names.ip],
    endsAtMs: Date.parse(new X509Certificate(pair.cert).validTo),
  }
}

async function makePair(
  dir: string,
  known: KeyPairFiles | undefined,
  names: CertificateNames,
  nowMs: number,
): Promise<KeyPairFiles> {
  const { issueCa, issueServer } = await import('./issue.ts')
  let ca = known
  if (ca === undefined) {
    const day = new Date(nowMs).toISOString().slice(0, 10)
    const machine = hostname()
      .replace(/[^A-Za-z0-9.-]/g, '')
      .slice(0, 30)
    const commonName = `Scopegate local CA ${machine} ${day}`
    ca = await issueCa({ commonName, names, nowMs, lifeMs: CA_LIFE_MS })
    await writePair(dir, 'ca', ca)
  }
  const server = await issueServer({ ca, names, nowMs, lifeMs: SERVER_LIFE_MS })
  await writePair(dir, 'server', server)
  return server
}

async function goodCa(
  pair: KeyPairFiles | undefined,
  names: CertificateNames,
  nowMs: number,
): Promise<KeyPairFiles | undefined> {
  if (pair === undefined || !isPair(pair)) return undefined
  const certificate = new X509Certificate(pair.cert)
  if (!certificate.ca || !lasts(certificate, nowMs)) return undefined
  const { extensionOf } = await import('./issue.ts')
  const constraints = extensionOf(pair.cert, NAME_CONSTRAINTS)
  return constraints !== undefined && permitsNames(constraints, names) ? pair : undefined
}

function isGoodServer(
  pair: KeyPairFiles,
  ca: KeyPairFiles,
  { dns, ip }: CertificateNames,
  nowMs: number,
): boolean {
  if (!isPair(pair)) return false
  const certificate = new X509Certificate(pair.cert)
  const wanted = [...dns, ...ip]
  return (
    lasts(certificate, nowMs) &&
    certificate.verify(new X509Certificate(ca.cert).publicKey) &&
    certificate.subjectAltName?.split(', ').length === wanted.length &&
    dns.every((name) => certificate.checkHost(name, { subject: 'never' }) !== undefined) &&
    ip.every((address) => certificate.checkIP(address) !== undefined)
  )
}

function lasts(certificate: X509Certificate, nowMs: number): boolean {
  return (
    Date.parse(certificate.validFrom) <= nowMs && Date.parse(certificate.validTo) > nowMs + RENEW_MS
  )
}

/** Whether both can be read and belong together. */
function isPair({ cert, key }: KeyPairFiles): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

async function readPair(dir: string, name: string): Promise<KeyPairFiles | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(dir, `${name}.crt`), 'utf8'),
      readFile(join(dir, `${name}.key`), 'utf8'),
    ])
    return { cert, key }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The key first: a certificate that is there has its key, but for a moment, which `isPair` sees. */
async function writePair(dir: string, name: string, pair: KeyPairFiles): Promise<void> {
  await replaceFile(join(dir, `${name}.key`), pair.key, 0o600)
  await replaceFile(join(dir, `${name}.crt`), pair.cert, 0o644)
}

async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text, { mode })
  await rename(draft, file)
}
