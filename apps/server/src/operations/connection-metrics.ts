import type { ConnectionStatus } from '@scopegate/oauth-model'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ConnectionsStatus, Metrics } from './metrics.ts'

const STATES = ['idle', 'fresh', 'due', 'overdue', 'expired', 'open', 'signed-out'] as const

/**
 * What monitoring sees of connections: labels are the names in the configuration, states, and rows
 * of the catalogue. The figures come from the broker when they are asked for.
 */
export function createConnectionMetrics(
  registry: Registry,
): Pick<Metrics, 'countConnectionFailure' | 'showConnections'> {
  let source: ConnectionsStatus | undefined
  let reading: Promise<readonly ConnectionStatus[]> | undefined
  const registers = [registry]

  /** Once for all figures of one answer. Monitoring goes on when the broker cannot say. */
  function read(): Promise<readonly ConnectionStatus[]> {
    reading ??= (source?.() ?? Promise.resolve([]))
      .catch(() => [])
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  /** A gauge with one line per connection; those that are gone from the configuration go. */
  function perConnection(
    name: string,
    help: string,
    figure: (status: ConnectionStatus) => number | undefined,
  ) {
    new Gauge({
      name,
      help,
      labelNames: ['connection'],
      registers,
      async collect() {
        this.reset()
        for (const status of await read()) {
          const value = figure(status)
          if (value !== undefined) this.set({ connection: status.name }, value)
        }
      },
    })
  }

  new Gauge({
    name: 'scopegate_connection_state',
    help: '1 for the state that the token of a connection is in.',
    labelNames: ['connection', 'state'],
    registers,
    async collect() {
      this.reset()
      for (const { name: connection, state } of await read()) {
        for (const each of STATES) this.set({ connection, state: each }, each === state ? 1 : 0)
      }
    },
  })
  perConnection(
    'scopegate_connection_token_expiry_timestamp_seconds',
    'When the token of a connection expires; `- time()` for the seconds that are left.',
    ({ expiresAt }) => expiresAt,
  )
  perConnection(
    'scopegate_connection_last_fetch_timestamp_seconds',
    'When a token came last.',
    ({ lastFetchedAt }) => lastFetchedAt,
  )
  perConnection(
    'scopegate_connection_hits',
    'Tokens given out without asking the provider, since this process started.',
    ({ hits }) => hits,
  )
  perConnection(
    'scopegate_connection_fetches',
    'Tokens that the provider gave, since this process started.',
    ({ fetches }) => fetches,
  )
  perConnection(
    'scopegate_connection_waiting',
    'Callers that wait for a token.',
    ({ waiting }) => waiting,
  )
  const failures = new Counter({
    name: 'scopegate_connection_failures_total',
    help: 'Attempts that brought no token, by kind and by code of docs/provider-errors.md.',
    labelNames: ['connection', 'kind', 'code'],
    registers,
  })
  return {
    countConnectionFailure: (connection, { kind, code }) =>
      failures.inc({ connection, kind, code }),
    showConnections(status) {
      source = status
    },
  }
}
