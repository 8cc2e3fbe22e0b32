import { openStorage, type Storage, type StorageEvent } from '@scopegate/storage'
import type { Config } from './config.ts'

/** The database that the configuration names, opened and brought up to date. @throws {StorageError} */
export function openConfiguredStorage(
  config: Config,
  onEvent: (event: StorageEvent) => void = () => undefined,
): Promise<Storage> {
  return openStorage(
    config.databaseUrl ? { url: config.databaseUrl.reveal() } : { dir: config.dataDir },
    { poolSize: config.settings.storage.poolSize, serverUrl: config.url, onEvent },
  )
}
