import { hkdfSync } from 'node:crypto'
import { createSealer, openMasterKeys, type Sealer } from '@scopegate/secrets'

/** What protects data at rest, and keys that are the same in every process. */
export interface Keys {
  readonly sealer: Sealer
  /** 32 bytes for one use. */
  derive(use: string): Uint8Array
}

/** Makes the master key at the first start. */
export async function openKeys(masterKeyFile: string): Promise<Keys> {
  const masterKeys = await openMasterKeys(masterKeyFile)
  // The oldest key: a new master key put above it leaves page links and the audit chain as they are.
  const { key } = masterKeys.at(-1)!
  return {
    sealer: createSealer(masterKeys),
    derive: (use) => new Uint8Array(hkdfSync('sha256', key, '', `scopegate ${use}`, 32)),
  }
}
