import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import { ensureLocalCertificate } from '@scopegate/http'
import type { Config } from '../config.ts'
import type { Logger } from './logger.ts'

const EVERY_MS = 12 * 3_600_000

/**
 * Looks twice a day whether the certificate nears its end, so that a server which runs for a year
 * does not end with it. New connections get the new one.
 */
export function renewLocalCertificate(
  server: Server,
  localTls: NonNullable<Config['localTls']>,
  log: Logger,
): { stop(): void } {
  async function renew(): Promise<void> {
    const made = await ensureLocalCertificate({ ...localTls, nowMs: Date.now() })
    if (!made.isNew || !(server instanceof TlsServer)) return
    server.setSecureContext({ cert: made.cert, key: made.key })
    const { caFile, isNewCa } = made
    if (isNewCa) log.warn({ caFile }, 'the local CA is new: clients must be told to trust it')
    else log.info('the local certificate was renewed')
  }
  const timer = setInterval(() => {
    renew().catch((error) => log.error({ error }, 'the local certificate could not be renewed'))
  }, EVERY_MS).unref()
  return { stop: () => clearInterval(timer) }
}
