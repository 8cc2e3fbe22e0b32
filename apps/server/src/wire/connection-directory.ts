import type { ConnectionSignIns, Connections, ConnectionView } from '@scopegate/admin-api'
import type { ConnectionStatus } from '@scopegate/oauth-model'
import { TokenUnavailable } from '@scopegate/oauth-model'
import type { Connection, TokenBroker } from '@scopegate/token-broker'
import type { ConfiguredConnection } from '../config/configured-connection.ts'
import type { ExaminedToken } from '../doctor/connection/connection-doctor.ts'
import { examineOneConnection } from '../doctor/connection/examine-one-connection.ts'

export interface ConnectionDirectoryDeps {
  readonly broker: TokenBroker
  /** Compiled; in the order of `configured`. */
  readonly connections: readonly Connection[]
  readonly configured: readonly ConfiguredConnection[]
  readonly signIns?: ConnectionSignIns
  /** Where HTTPS_PROXY and NO_PROXY are read. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly nowMs: () => number
}

const SIGNS_IN = new Set<string>(['authorization_code', 'device_code', 'refresh_token'])

/** The connections as the admin API shows them, and hands out their tokens. */
export function connectionDirectory(deps: ConnectionDirectoryDeps): Connections {
  const { broker, connections, configured, environment, nowMs } = deps

  async function view(connection: Connection, status: ConnectionStatus): Promise<ConnectionView> {
    const { name, preset, grant, clientId, issuer, tokenEndpoint, audience } = connection
    const written = configured.find((each) => each.name === name)
    const endsAt = written?.certificateExpiresAt ?? (await signerEnd(connection))
    return {
      ...{ name, preset, grant, clientId, status },
      authentication: connection.authentication.method,
      ...(issuer !== undefined && { issuer }),
      ...(tokenEndpoint !== undefined && { tokenEndpoint }),
      ...(audience !== undefined && { audience }),
      ...(written?.upstream !== undefined && { upstream: written.upstream }),
      scopes: connection.scopes,
      callers: connection.callers,
      ...(endsAt !== undefined && { certificateExpiresAt: endsAt }),
      canSignIn: SIGNS_IN.has(grant),
    }
  }

  const byName = (name: string) => connections.find((each) => each.name === name)

  return {
    async list() {
      const all = await broker.status()
      return Promise.all(
        all.flatMap((status) => {
          const connection = byName(status.name)
          return connection === undefined ? [] : [view(connection, status)]
        }),
      )
    },
    async find(name) {
      const connection = byName(name)
      const status = connection && (await broker.statusOf(name))
      return status && view(connection, status)
    },
    callersOf: (name) => byName(name)?.callers,
    getToken: (name, wish) => broker.getToken(name, wish),
    retry: (name) => broker.retry(name),
    ...(deps.signIns && { signIns: deps.signIns }),
    async examine(name, resourceUrl) {
      const connection = byName(name)
      if (connection === undefined) throw new Error(`no connection ${name}`)
      const { upstream, paths = [] } = configured.find((each) => each.name === name) ?? {}
      return examineOneConnection({
        ...{ connection, environment, nowMs },
        getToken: (signal) => tokenInUse(broker, name, nowMs, signal),
        ...(upstream !== undefined && { sidecar: { upstream, paths } }),
        ...(resourceUrl !== undefined && { resourceUrl }),
      })
    },
  }
}

async function tokenInUse(
  broker: TokenBroker,
  name: string,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<ExaminedToken> {
  try {
    const token = await broker.getToken(name, { signal })
    const { accessToken, type, scopes, warnings, expiresAt } = token
    return {
      kind: 'token',
      ...{ accessToken, type, scopes, warnings },
      expiresInSeconds: Math.floor(expiresAt - nowMs() / 1000),
      headers: (request) => token.headers(request),
    }
  } catch (error) {
    if (!(error instanceof TokenUnavailable)) throw error
    return { kind: 'failed', failure: error.failure }
  }
}

/** When the certificate of the key that signs ends; a key that cannot be had is told elsewhere. */
async function signerEnd({ authentication }: Connection): Promise<number | undefined> {
  if (authentication.method !== 'private_key_jwt') return undefined
  try {
    return (await authentication.signer()).notAfter
  } catch {
    return undefined
  }
}
