import type { MasterKeyChange } from '@scopegate/admin-api'
import { RekeyRefused, type Sealing } from '@scopegate/secrets'

/** Sealing as the admin API changes its key. */
export function masterKeyChange(sealing: Pick<Sealing, 'status' | 'rekey'>): MasterKeyChange {
  return {
    status: sealing.status,
    async begin(options) {
      try {
        return await sealing.rekey(options)
      } catch (error) {
        if (error instanceof RekeyRefused) return { refused: error.message }
        throw error
      }
    },
  }
}
