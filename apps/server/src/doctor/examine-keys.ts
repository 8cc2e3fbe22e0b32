import { findKeyWarnings, type KeySetView } from '@scopegate/keys'
import type { Config } from '../config.ts'
import { type Examination, fail, pass, type Told, warn } from './finding.ts'

/**
 * Certificates of keys that sign for others. Those that were imported are known to a running server
 * only; those of the configuration are looked at in any case.
 */
export function examineKeys(
  { declaredKeys }: Config,
  nowMs: () => number,
  list?: () => Promise<readonly KeySetView[]>,
): Examination | undefined {
  if (list === undefined && declaredKeys.length === 0) return undefined
  return {
    subject: 'keys',
    isRemote: false,
    async examine() {
      const sets =
        (await list?.()) ??
        declaredKeys.map(({ name, current }) => ({
          name,
          warnings: findKeyWarnings(current.certificate, Math.floor(nowMs() / 1000)),
        }))
      const told = sets.flatMap(({ name, warnings }): readonly Told[] =>
        warnings.map(({ kind, message, fix }) =>
          kind === 'certificate_expired'
            ? fail(`certificate of ${name}`, message, fix)
            : warn(`certificate of ${name}`, message, fix),
        ),
      )
      return told.length > 0 ? told : [pass('certificates', `${sets.length} keys, none expires`)]
    },
  }
}
