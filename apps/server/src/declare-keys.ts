import type { Config } from './config.ts'
import type { Logger } from './operations/logger.ts'
import type { Parts } from './wire.ts'

/** The keys of the configuration: others that were declared go. Tells of every certificate that ends. */
export async function declareKeys(
  { declaredKeys }: Config,
  { signKeys }: Pick<Parts, 'signKeys'>,
  log: Logger,
): Promise<void> {
  await signKeys.declare(declaredKeys)
  for (const { name, warnings } of await signKeys.list()) {
    for (const { kind, message, fix } of warnings) log.warn({ key: name, kind, fix }, message)
  }
}
