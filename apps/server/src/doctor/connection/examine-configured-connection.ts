import {
  type Connection,
  createTokenRequester,
  tokenHeaders,
  usesRefreshToken,
} from '@scopegate/token-broker'
import { compileConnections } from '../../config/configured-connection.ts'
import type { Config } from '../../config.ts'
import type { ConnectionReport, ExaminedToken } from './connection-doctor.ts'
import { examineOneConnection } from './examine-one-connection.ts'

export interface ExamineConnectionOptions {
  readonly config: Config
  /** As in `connections[].name`. */
  readonly name: string
  /** Tries the token there. */
  readonly resourceUrl?: string
  /** Where HTTPS_PROXY and NO_PROXY are read. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly nowMs: () => number
  /** Of each step. */
  readonly timeoutMs?: number
}

/**
 * Examines a connection without a running server: with the secrets of the configuration, and one
 * token request. A refresh token is never used, since it may work only once, and another process
 * holds it.
 *
 * @returns undefined where there is no such connection.
 */
export async function examineConfiguredConnection(
  options: ExamineConnectionOptions,
): Promise<ConnectionReport | undefined> {
  const { config, name, environment, nowMs, resourceUrl, timeoutMs } = options
  const configured = config.connections.find((each) => each.name === name)
  if (configured === undefined) return undefined
  const isKeptElsewhere = configured.keyName !== undefined
  const [connection] = compileConnections([configured], {
    signerNamed: async (key) => {
      throw new Error(`key \`${key}\` is kept by the server that runs: examine with --running`)
    },
  })
  if (connection === undefined) return undefined
  const requester = createTokenRequester({ nowMs, environment })
  return examineOneConnection({
    connection,
    ...(isKeptElsewhere && { keyIsElsewhere: true }),
    getToken: async (signal) => {
      if (isKeptElsewhere) return untried('its key is kept by the server that runs')
      if (usesRefreshToken(connection)) {
        return untried('its refresh token may work only once, and is kept by the server that runs')
      }
      return ask(connection, requester, nowMs, signal)
    },
    ...{ environment, nowMs },
    ...(configured.upstream !== undefined && {
      sidecar: { upstream: configured.upstream, paths: configured.paths },
    }),
    ...(resourceUrl !== undefined && { resourceUrl }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
}

async function ask(
  connection: Connection,
  requester: ReturnType<typeof createTokenRequester>,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<ExaminedToken> {
  const { scopes, audience, subject } = connection
  const outcome = await requester.request({ connection, scopes, audience, subject }, { signal })
  if (outcome.kind === 'failed') return outcome
  const { token } = outcome
  const { accessToken, type, warnings, expiresInSeconds, clockSkewSeconds } = token
  return {
    kind: 'token',
    ...{ accessToken, type, warnings, scopes: token.scopes },
    ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    ...(clockSkewSeconds !== undefined && { clockSkewSeconds }),
    headers: tokenHeaders(token, nowMs),
  }
}

function untried(why: string): ExaminedToken {
  return {
    kind: 'untried',
    why: `no token was asked for: ${why}`,
    fix: 'examine it from there: `scopegate doctor connection NAME --running`',
  }
}
