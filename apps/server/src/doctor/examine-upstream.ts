import { isLoopback } from '@scopegate/http'
import type { ConfiguredApi } from '../config/configured-api.ts'
import { judgeCertificateEnd, judgeScheme } from './examine-connection.ts'
import { type Examination, fail, pass, reasonOf, type Told } from './finding.ts'
import { probe } from './probe.ts'

/** Whether the upstream of an API answers at all; what it answers is its own business. */
export function examineUpstream(api: ConfiguredApi, nowMs: () => number): Examination {
  const { name, upstream } = api
  return {
    subject: `api ${name}`,
    isRemote: true,
    async examine(signal) {
      try {
        const { status, certificateEndsMs } = await probe(upstream, signal)
        const told: Told[] = [
          pass('upstream', `${upstream} answers (${status})`),
          ...judgeScheme(upstream, isLoopback(new URL(upstream).hostname)),
        ]
        if (certificateEndsMs !== undefined) {
          told.push(judgeCertificateEnd(certificateEndsMs, nowMs(), 'renew it'))
        }
        return told
      } catch (error) {
        const fix = `start it, or correct \`upstream\` of the API \`${name}\``
        return [fail('upstream', `${upstream}: ${reasonOf(error)}`, fix)]
      }
    },
  }
}
