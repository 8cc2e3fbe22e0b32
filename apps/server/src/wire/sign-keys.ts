import { randomUUID } from 'node:crypto'
import { createRateLimiter } from '@scopegate/authorization-server'
import { createSignKeys, jwksPath, type SignKeys } from '@scopegate/keys'
import type { Storage } from '@scopegate/storage'
import type { Config } from '../config.ts'
import type { Keys } from './keys.ts'

export interface SignKeysParts {
  readonly config: Config
  readonly storage: Storage
  readonly keys: Keys
  readonly nowMs: () => number
}

/** Keys that sign for others; in the database, so that every server has the same. */
export function wireSignKeys({ config, storage, keys, nowMs }: SignKeysParts): SignKeys {
  return createSignKeys({
    pool: storage.pool,
    transaction: storage.transaction,
    sealer: keys.sealer,
    nowMs,
    newId: randomUUID,
    jwksUrl: (name) => `${config.url}${jwksPath(name)}`,
    limit: createRateLimiter(config.settings.keyStore.signaturesPerMinute, nowMs),
  })
}
