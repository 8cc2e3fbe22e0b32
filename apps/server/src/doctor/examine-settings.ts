import type { Config } from '../config.ts'
import { type Examination, pass, type Told, warn } from './finding.ts'

/** What the configuration says that works, and yet deserves a look. It was read without problems. */
export function examineSettings(config: Config): Examination {
  const { settings, issuers, clients, providers, databaseUrl, file } = config
  return {
    subject: 'configuration',
    isRemote: false,
    async examine() {
      const secrets = [
        ...clients.map(({ secret }) => secret),
        ...providers.flatMap(({ secret, privateKey }) => [secret, privateKey]),
        ...issuers.flatMap(({ introspection }) => [
          introspection?.secret,
          introspection?.privateKey,
        ]),
        databaseUrl,
      ].filter((secret) => secret !== undefined)
      const empty = secrets.filter((secret) => secret.reveal().trim() === '')
      const told: Told[] = [
        pass('settings', file ?? 'defaults: there is no scopegate.yaml'),
        empty.length === 0
          ? pass('secrets', `${secrets.length} resolved`)
          : warn(
              'secrets',
              `empty: ${empty.map(({ reference }) => reference).join(', ')}`,
              'give the environment variable or file a value',
            ),
      ]
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
