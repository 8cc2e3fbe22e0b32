import { createPrivateKey, X509Certificate } from 'node:crypto'
import { findProviderError, secretFacts } from '@scopegate/checks'
import type { Connection } from '@scopegate/token-broker'
import { judgeCertificateEnd } from '../examine-connection.ts'
import { pass, reasonOf } from '../finding.ts'
import type { Step } from './connection-doctor.ts'

const RENEW = 'make a new one, register it at the provider, then put it here'

/** What the connection proves itself with: where from, of which shape, how long. Nothing of it. */
export async function examineCredential(
  connection: Connection,
  nowMs: () => number,
): Promise<readonly Step[]> {
  const { authentication, bearerAssertion, transport } = connection
  const steps: Step[] = []
  if (authentication.method === 'none') {
    steps.push(pass('credential', 'none: a public client'))
  }
  if ('secrets' in authentication) steps.push(...examineSecrets(connection, authentication))
  const signers = [
    ...('signer' in authentication ? [authentication.signer] : []),
    ...(bearerAssertion ? [bearerAssertion.signer] : []),
  ]
  for (const signer of new Set(signers)) steps.push(...(await examineKey(signer, nowMs)))
  if (transport.certificate) steps.push(...examineClientCertificate(transport.certificate, nowMs))
  return steps
}

function examineSecrets(
  { preset, clientId }: Connection,
  { secrets, sources = [], method }: Extract<Connection['authentication'], { secrets: unknown }>,
): readonly Step[] {
  let values: readonly string[]
  try {
    values = secrets()
  } catch (error) {
    return [unset(reasonOf(error))]
  }
  if (values.length === 0) return [unset('none is configured')]
  return values.map((value, index) => {
    const facts = secretFacts(value, sources[index])
    const from = sources[index] === undefined ? '' : `${sources[index]}, `
    const which = values.length > 1 ? `${index + 1} of ${values.length}: ` : ''
    const shown = `${which}${from}${facts.lengthCharacters} characters, sent by ${method}`
    const isOdd =
      (facts.isGuid && preset === 'entra') ||
      facts.hasEdgeWhitespace ||
      facts.isQuoted ||
      facts.hasByteOrderMark
    if (facts.lengthCharacters === 0 || facts.isPlaceholder) {
      const row = findProviderError({ stage: 'credential', secret: facts })
      const { code, kind, cause, fix } = row
      return { check: 'secret', outcome: 'fail', found: cause, fix, code, kind }
    }
    if (!isOdd) return pass('secret', shown)
    // The words for a refused secret, before it is refused.
    const { cause, fix, code } = findProviderError({
      ...{ preset, clientId, secret: facts, error: 'invalid_client' },
      ...(preset === 'entra' && { codes: [7000215] }),
    })
    return { check: 'secret', outcome: 'warn', found: `${shown}; ${cause}`, fix, code }
  })
}

function unset(why: string): Step {
  const { code, kind, cause, fix } = findProviderError({
    stage: 'credential',
    finding: 'secret_unset',
  })
  return { check: 'secret', outcome: 'fail', found: `${cause} (${why})`, fix, code, kind }
}

async function examineKey(
  signer: () => Promise<{
    readonly kid: string
    readonly alg: string
    readonly x5tS256?: string
    readonly notAfter?: number
  }>,
  nowMs: () => number,
): Promise<readonly Step[]> {
  try {
    const { kid, alg, x5tS256, notAfter } = await signer()
    const thumbprint = x5tS256 === undefined ? 'no certificate' : `x5t#S256 ${x5tS256}`
    return [
      pass('key', `kid ${kid}, ${alg}, ${thumbprint}`),
      ...(notAfter === undefined ? [] : [judgeCertificateEnd(notAfter * 1000, nowMs(), RENEW)]),
    ]
  } catch (error) {
    const found = `the key cannot be used: ${reasonOf(error)}`
    const fix = '`scopegate key list` lists the keys there are; the setting is `authentication`'
    return [
      { check: 'key', outcome: 'fail', found, fix, code: 'key_unusable', kind: 'configuration' },
    ]
  }
}

function examineClientCertificate(
  { certificate, key, passphrase }: NonNullable<Connection['transport']['certificate']>,
  nowMs: () => number,
): readonly Step[] {
  try {
    const own = new X509Certificate(certificate)
    const secret = createPrivateKey({
      key: key(),
      ...(passphrase && { passphrase: passphrase() }),
    })
    if (own.checkPrivateKey(secret)) {
      return [
        pass('client certificate', own.subject.replaceAll('\n', ', ')),
        judgeCertificateEnd(own.validToDate.getTime(), nowMs(), RENEW),
      ]
    }
    const { cause, fix, code, kind } = findProviderError({ finding: 'key_certificate_mismatch' })
    return [{ check: 'client certificate', outcome: 'fail', found: cause, fix, code, kind }]
  } catch (error) {
    const nodeCode = (error as NodeJS.ErrnoException | null)?.code ?? ''
    const { cause, fix, code, kind } = findProviderError({ nodeCode, finding: 'key_unreadable' })
    const found = `${cause} (${reasonOf(error)})`
    return [{ check: 'client certificate', outcome: 'fail', found, fix, code, kind }]
  }
}
