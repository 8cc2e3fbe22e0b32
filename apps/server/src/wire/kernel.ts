import type { ConfigurationStatus } from '@scopegate/admin-api'
import { createRateLimiter, type RateLimiter } from '@scopegate/authorization-server'
import { isLoopback } from '@scopegate/http'
import type { SealingEvent } from '@scopegate/secrets'
import type { Storage } from '@scopegate/storage'
import type { ConnectionCounts } from '@scopegate/token-broker'
import type { Issuer, NetworkPolicy, UsedProofs } from '@scopegate/token-verify'
import { issuerSettings } from '../config/issuer-settings.ts'
import { Secret } from '../config/secret.ts'
import type { Config, ConfiguredIssuer } from '../config.ts'
import { issuerOf } from '../configured-issuer.ts'
import { createHealth, type Health } from '../operations/health.ts'
import type { Logger } from '../operations/logger.ts'
import { createMetrics, type Metrics } from '../operations/metrics.ts'
import { recordRekey } from '../operations/record-rekey.ts'
import { createSharedUsedProofs } from '../operations/shared-used-proofs.ts'
import { type Audits, wireAudits } from './audits.ts'
import { type Keys, openKeys } from './keys.ts'

/** What is there once, however often the configuration is read again. */
export interface Kernel {
  readonly storage: Storage
  readonly keys: Keys
  readonly audits: Audits
  readonly metrics: Metrics
  readonly health: Health
  readonly log: Logger
  readonly nowMs: () => number
  /** Epoch seconds. */
  readonly startedAt: number
  /** A proof of possession that was used stays used. */
  readonly usedProofs: UsedProofs
  /** Tokens of each connection are counted since the start. */
  readonly connectionCounts: Map<string, ConnectionCounts>
  /** Which configuration is in force, and how its last change went. */
  configuration: ConfigurationStatus
  /** Failures stay counted while the limit stays the same. */
  failureLimiter(perMinute: number): RateLimiter
  /** With the keys that were fetched before, while its settings stay the same. */
  issuersOf(configured: readonly ConfiguredIssuer[]): readonly Issuer[]
  /** Writes what is buffered. */
  close(): Promise<void>
}

export async function openKernel(config: Config, storage: Storage, log: Logger): Promise<Kernel> {
  const nowMs = () => Date.now()
  const startedAt = Math.floor(nowMs() / 1000)
  let told: (event: SealingEvent) => void = () => undefined
  const keys = await openKeys({ config, storage, log, onEvent: (event) => told(event) })
  const audits = wireAudits(storage, keys, config.settings.audit, log, nowMs)
  const { accessAudit, adminAudit, traces } = audits
  told = (event) => recordRekey(event, { adminAudit, log, issuer: config.url, nowMs })
  const network: NetworkPolicy = {
    allowLoopback: isLoopback(new URL(config.url).hostname),
    allowPrivateHosts: 'any',
  }
  let limiter: { readonly perMinute: number; readonly limiter: RateLimiter } | undefined
  let issuers = new Map<string, Issuer>()
  return {
    ...{ storage, keys, audits, log, nowMs, startedAt },
    metrics: createMetrics({
      pool: storage.pool,
      auditLost: () => accessAudit.lost + adminAudit.lost,
      tracesDropped: () => traces.dropped,
    }),
    health: createHealth(storage.pool),
    usedProofs: createSharedUsedProofs(storage.pool, nowMs),
    connectionCounts: new Map(),
    configuration: { revision: 1, loadedAt: startedAt },
    failureLimiter(perMinute) {
      if (limiter?.perMinute !== perMinute) {
        limiter = { perMinute, limiter: createRateLimiter(perMinute, nowMs) }
      }
      return limiter.limiter
    },
    issuersOf(configured) {
      const made = configured.map((each) => {
        const key = JSON.stringify(issuerSettings(each, revealed))
        return [key, issuers.get(key) ?? issuerOf(each, network, nowMs)] as const
      })
      issuers = new Map(made)
      return made.map(([, issuer]) => issuer)
    },
    async close() {
      await keys.close()
      await audits.close()
    },
  }
}

function revealed(secret: unknown): string {
  return secret instanceof Secret ? secret.reveal() : ''
}
