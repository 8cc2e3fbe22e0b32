import { randomUUID } from 'node:crypto'
import { createRefusedSecrets, type RefusedSecrets } from '../authentication/refused-secrets.ts'
import type { Connection } from '../connection.ts'
import { createMetadataReader, type MetadataReader } from '../discovery/server-metadata.ts'
import { createTransport, type Transport } from '../transport/transport.ts'

/** Something an operator should hear of; nothing in it is secret. */
export interface RequesterEvent {
  readonly type: 'credential_fallback'
  readonly connection: string
  /** Where the secret comes from: `env:LAB_SECRET`. */
  readonly refused?: string
  readonly used?: string
}

export interface RequesterOptions {
  readonly nowMs: () => number
  /** Default: 16 random bytes as a UUID. Never the same twice. */
  readonly newId?: () => string
  /** Where HTTPS_PROXY and NO_PROXY are read. Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly onEvent?: (event: RequesterEvent) => void
}

export type RequesterDeps = Required<Omit<RequesterOptions, 'onEvent'>> &
  Pick<RequesterOptions, 'onEvent'>

/** What is kept between the requests of one connection, in this process. */
export interface ConnectionRuntime {
  readonly transport: Transport
  readonly metadata: MetadataReader
  readonly refused: RefusedSecrets
  dpopNonce: string | undefined
}

export interface Runtimes {
  readonly deps: RequesterDeps
  of(connection: Connection): ConnectionRuntime
}

/** One runtime per compiled connection: what is compiled anew starts afresh. */
export function createRuntimes(options: RequesterOptions): Runtimes {
  const deps: RequesterDeps = {
    nowMs: options.nowMs,
    newId: options.newId ?? randomUUID,
    environment: options.environment ?? {},
    ...(options.onEvent && { onEvent: options.onEvent }),
  }
  const known = new WeakMap<Connection, ConnectionRuntime>()
  const refused = createRefusedSecrets(deps.nowMs)
  return {
    deps,
    of(connection) {
      const runtime = known.get(connection)
      if (runtime !== undefined) return runtime
      const transport = createTransport({ transport: connection.transport, ...deps })
      const metadata = createMetadataReader(connection, transport, deps.nowMs)
      const made: ConnectionRuntime = { transport, metadata, refused, dpopNonce: undefined }
      known.set(connection, made)
      return made
    },
  }
}
