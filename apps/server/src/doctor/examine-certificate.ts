import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Config } from '../config.ts'
import { judgeCertificateEnd } from './examine-connection.ts'
import { type Examination, fail, pass, reasonOf, type Told, warn } from './finding.ts'

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** Our own certificate: of the key, for the name, with its chain, not at its end. */
export function examineCertificate(config: Config, nowMs: () => number): Examination | undefined {
  const { tls } = config
  if (tls === undefined) return undefined
  const fix =
    'give server.tls.certFile the certificate first and its chain after it, and keyFile its key'
  return {
    subject: 'own certificate',
    isRemote: false,
    async examine() {
      let chain: readonly X509Certificate[]
      let isOfKey: boolean
      try {
        chain = (tls.cert.match(PEM) ?? []).map((pem) => new X509Certificate(pem))
        isOfKey = chain[0]?.checkPrivateKey(createPrivateKey(tls.key)) ?? false
      } catch (error) {
        return [fail('certificate', `cannot be read: ${reasonOf(error)}`, fix)]
      }
      const [own, ...rest] = chain
      if (own === undefined) return [fail('certificate', 'the file holds none', fix)]
      if (!isOfKey) return [fail('certificate', 'it does not belong to the key', fix)]
      const told: Told[] = [judgeCertificateEnd(own.validToDate.getTime(), nowMs(), 'renew it')]
      if (own.validFromDate.getTime() > nowMs()) {
        told.push(fail('certificate', 'it is not valid yet', 'look at the clock of this machine'))
      }
      const host = new URL(config.url).hostname.replaceAll(/[[\]]/g, '')
      // Asked about an address that is none, Node throws.
      const named = isIP(host) === 0 ? own.checkHost(host) : own.checkIP(host)
      const fits = named !== undefined
      told.push(
        fits
          ? pass('name', host)
          : fail(
              'name',
              `it is for ${own.subjectAltName ?? 'no name'}, not for ${host}`,
              'get one for the host of server.url, or correct server.url',
            ),
      )
      const isSelfSigned = own.checkIssued(own)
      const broken = [own, ...rest].findIndex(
        (each, index, all) => all[index + 1] !== undefined && !each.checkIssued(all[index + 1]!),
      )
      if (broken !== -1) {
        told.push(fail('chain', `certificate ${broken + 1} is not issued by the next`, fix))
      } else if (rest.length === 0 && !isSelfSigned) {
        told.push(
          warn('chain', 'the file holds no intermediate certificate; many clients need it', fix),
        )
      } else told.push(pass('chain', isSelfSigned ? 'self-signed' : `${chain.length} certificates`))
      return told
    },
  }
}
