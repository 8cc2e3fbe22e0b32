import { hostname } from 'node:os'
import {
  addMasterKey,
  masterKeysFromText,
  openMasterKeys,
  openSealing,
  type Sealing,
  type SealingEvent,
} from '@scopegate/secrets'
import type { Storage } from '@scopegate/storage'
import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'

/** What protects data at rest, and keys that are the same in every process. */
export interface Keys extends Sealing {
  /** Takes the master keys from where this configuration has them. */
  follow(config: Config): Promise<void>
}

export interface KeysDeps {
  readonly config: Config
  readonly storage: Pick<Storage, 'pool'>
  readonly log: Logger
  readonly onEvent: (event: SealingEvent) => void
}

/**
 * Makes the master key at the first start, where none is referred to.
 *
 * @throws {MasterKeyError} if a key that the database needs is missing or wrong.
 */
export async function openKeys({ config, storage, log, onEvent }: KeysDeps): Promise<Keys> {
  let source = config
  const sealing = await openSealing({
    pool: storage.pool,
    loadKeys: () => loadKeys(source),
    source: () => sourceOf(source),
    async makeKey() {
      if (source.masterKeys === undefined) await addMasterKey(source.masterKeyFile)
    },
    name: `${hostname()}:${config.listen.port}`,
    onEvent,
    onError: (error) => log.error({ error }, 'master keys'),
  })
  return {
    ...sealing,
    async follow(next) {
      source = next
      await sealing.beat()
    },
  }
}

async function loadKeys({ masterKeys, masterKeyFile }: Config) {
  if (masterKeys === undefined) return openMasterKeys(masterKeyFile)
  return masterKeys.flatMap((secret) => masterKeysFromText(secret.reveal()))
}

function sourceOf({ masterKeys, masterKeyFile }: Config): string {
  return masterKeys === undefined
    ? `the master key file \`${masterKeyFile}\``
    : `secrets.masterKey (${masterKeys.join(', ')})`
}
