import type { Config } from '../config.ts'
import { type Examination, pass, type Told, warn } from './finding.ts'

/** What was seen about secrets that resolved; those that do not keep the server from starting. */
export function examineSecrets({ secretUses }: Config): Examination {
  return {
    subject: 'secrets',
    isRemote: false,
    async examine() {
      const told = secretUses.flatMap(({ path, secret }): readonly Told[] =>
        secret.warnings
          .filter(({ level }) => level === 'warn')
          .map(({ text, code }) =>
            warn(
              path,
              `${secret.reference}: ${text}`,
              code === 'literal'
                ? 'put it into an environment variable and write `env:NAME`, and remove secrets.allowLiterals'
                : 'look at the value where it comes from; `scopegate secrets check` shows its length and fingerprint',
            ),
          ),
      )
      return [pass('references', `${secretUses.length} resolved`), ...told]
    },
  }
}
