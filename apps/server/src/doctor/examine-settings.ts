import type { Config } from '../config.ts'
import { type Examination, pass, type Told, warn } from './finding.ts'

/** What the configuration says that works, and yet deserves a look. It was read without problems. */
export function examineSettings(config: Config): Examination {
  const { settings, issuers, file } = config
  return {
    subject: 'configuration',
    isRemote: false,
    async examine() {
      const told: Told[] = [pass('settings', file ?? 'defaults: there is no scopegate.yaml')]
      const trusted = new Set([
        ...settings.fhir.r4.trust,
        ...settings.apis.flatMap(({ auth }) => auth.trust),
      ])
      for (const [index, { issuer }] of issuers.entries()) {
        if (trusted.has(issuer)) continue
        const found = `${issuer} is trusted nowhere`
        const fix = `add it to fhir.r4.trust or to auth.trust of an API, or remove issuers[${index}]`
        told.push(warn('trust', found, fix))
      }
      return told
    },
  }
}
