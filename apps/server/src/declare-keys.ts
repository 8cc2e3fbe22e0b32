import { EXPIRY_WARNING_DAYS, findKeyWarnings } from '@scopegate/keys'
import type { Config } from './config.ts'
import type { Logger } from './operations/logger.ts'
import type { Parts } from './wire.ts'

/** The keys of the configuration: others that were declared go. Tells of certificates that end. */
export async function declareKeys(
  { declaredKeys }: Config,
  { signKeys }: Pick<Parts, 'signKeys'>,
  log: Logger,
): Promise<void> {
  await signKeys.declare(declaredKeys)
  const nowSeconds = Math.floor(Date.now() / 1000)
  for (const { name, current } of declaredKeys) {
    for (const { kind, message, fix } of findKeyWarnings(
      current.certificate,
      nowSeconds,
      EXPIRY_WARNING_DAYS,
    )) {
      log.warn({ key: name, kind, fix }, message)
    }
  }
}
