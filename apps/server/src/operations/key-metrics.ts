import type { KeySetView } from '@scopegate/keys'
import { Gauge, type Registry } from 'prom-client'

export interface KeyMetrics {
  /** Whose keys are shown from now on; `undefined`: none. */
  showKeys(list: (() => Promise<readonly KeySetView[]>) | undefined): void
}

/** What monitoring sees of keys that sign for others: when their certificates end, by name and state. */
export function createKeyMetrics(registry: Registry): KeyMetrics {
  let list: (() => Promise<readonly KeySetView[]>) | undefined
  new Gauge({
    name: 'scopegate_key_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of a key that signs for others ends.',
    labelNames: ['key', 'state'],
    registers: [registry],
    async collect() {
      // Without the database the other metrics are wanted all the more.
      const sets = await list?.().catch(() => [])
      this.reset()
      for (const { name, keys } of sets ?? []) {
        for (const { state, certificate } of keys) {
          if (certificate === undefined || state === 'retired') continue
          this.set({ key: name, state }, certificate.notAfter)
        }
      }
    },
  })
  return {
    showKeys(next) {
      list = next
    },
  }
}
