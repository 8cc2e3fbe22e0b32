import { ConnectionSignInRefused, type ConnectionSignIns } from '@scopegate/admin-api'
import type { SignKeys } from '@scopegate/keys'
import { createSharedUseOnce } from '@scopegate/oidc-login'
import {
  type BrokerEvent,
  type Connection,
  createPostgresTokenStore,
  createSignIns,
  createTokenBroker,
  createTokenRequester,
  type RequesterEvent,
  SignInRefused,
  type SignIns,
  type TokenBroker,
} from '@scopegate/token-broker'
import { compileConnections, connectionWarnings } from '../config/configured-connection.ts'
import type { Config } from '../config.ts'
import type { Environment } from '../environment.ts'
import { CONNECTION_CALLBACK_PATH } from '../landing/connection-callback.ts'
import type { Logger } from '../operations/logger.ts'
import type { Metrics } from '../operations/metrics.ts'
import type { Kernel } from './kernel.ts'

export interface BrokerWiring {
  readonly config: Config
  readonly kernel: Pick<
    Kernel,
    'storage' | 'keys' | 'metrics' | 'log' | 'nowMs' | 'connectionCounts'
  >
  readonly signKeys: Pick<SignKeys, 'signer'>
  /** Where HTTPS_PROXY and NO_PROXY are read. */
  readonly environment: Environment
}

export interface WiredBroker {
  readonly broker: TokenBroker
  /** Compiled, in the order of the configuration. */
  readonly connections: readonly Connection[]
  readonly signIns: ConnectionSignIns
  /** For users who come back to this server. */
  readonly completeCallback: SignIns['completeCallback']
  /** Waits for the token requests under way. */
  close(): Promise<void>
}

/** Tokens for the connections, shared with every server on this database. */
export function wireBroker({ config, kernel, signKeys, environment }: BrokerWiring): WiredBroker {
  const { storage, keys, metrics, log, nowMs } = kernel
  const { sealer } = keys
  const connections = compileConnections(config.connections, {
    signerNamed: (name, alg) => signKeys.signer(name, alg),
  })
  const requester = createTokenRequester({
    ...{ nowMs, environment },
    onEvent: (event) => logFallback(event, log),
  })
  const broker = createTokenBroker({
    ...{ connections, requester, nowMs },
    store: createPostgresTokenStore({ pool: storage.pool, sealer }),
    counts: kernel.connectionCounts,
    onEvent: (event) => record(event, { metrics, log }),
  })
  const signIns = createSignIns({
    ...{ connections, requester, sealer, nowMs },
    useOnce: createSharedUseOnce(storage.pool),
    callbackUri: `${config.url}${CONNECTION_CALLBACK_PATH}`,
    // Whoever signs in at the command line does so for the connection, whatever their `sub` is.
    storeGrant: (connection, { token }) => broker.storeGrant(connection, { token }),
  })
  for (const { connection, warning } of connectionWarnings(config.connections, nowMs() / 1000)) {
    log.warn({ connection, fix: warning.fix }, warning.message)
  }
  return {
    ...{ broker, connections },
    signIns: {
      begin: (connection, how) => asRefused(signIns.begin(connection, how)),
      complete: (connection, id, parameters) =>
        asRefused(signIns.complete(connection, id, parameters)),
    },
    completeCallback: (parameters) => signIns.completeCallback(parameters),
    close: () => broker.close(),
  }
}

async function asRefused<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error
    throw new ConnectionSignInRefused(error.code, error.message, error.fix)
  }
}

type Level = 'info' | 'warn' | 'error'

/** What an operator should act on is at least a warning. */
const MESSAGES: Readonly<Record<BrokerEvent['kind'], readonly [Level, string]>> = {
  fetched: ['info', 'token fetched'],
  refresh_failed: ['warn', 'refresh_failed: the token could not be renewed yet and still serves'],
  fetch_failed: ['warn', 'no token'],
  circuit_opened: ['warn', 'the provider is not asked until it is time, or something changes'],
  circuit_closed: ['info', 'the provider gives tokens again'],
  signed_out: ['error', 'somebody must sign in again'],
  rejected: ['warn', 'a resource refused the token'],
  late_answer_ignored: ['warn', 'a token came too late: another server has taken over'],
  store_unavailable: ['error', 'tokens cannot be shared while the database is away'],
  credential_fallback: ['info', 'an older secret got the token'],
}

function record(
  { kind, ...fields }: BrokerEvent,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
): void {
  const [level, message] = MESSAGES[kind]
  log[level](fields, message)
  if ('failure' in fields && (kind === 'refresh_failed' || kind === 'fetch_failed')) {
    metrics.countConnectionFailure(fields.connection, fields.failure)
  }
}

function logFallback({ type, ...fields }: RequesterEvent, log: Logger): void {
  log.warn(fields, `${type}: the newest secret was refused, an older one is in use`)
}
