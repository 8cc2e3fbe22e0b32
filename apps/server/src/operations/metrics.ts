import type { Handler } from '@scopegate/http'
import type { ConnectionStatus, TokenFailure } from '@scopegate/oauth-model'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { createConnectionMetrics } from './connection-metrics.ts'
import { createKeyMetrics, type KeyMetrics } from './key-metrics.ts'

export interface Metrics extends KeyMetrics {
  /** `GET /metrics`, in the Prometheus text format. No label holds an id, a client or a person. */
  readonly handler: Handler
  countRequest(route: string, method: string, status: number, seconds: number): void
  countAuthenticationFailure(): void
  /** A token could not be got; the code is a row of the catalogue, so there are not many. */
  countConnectionFailure(connection: string, failure: Pick<TokenFailure, 'kind' | 'code'>): void
  /** Whose connections are shown from now on; `undefined`: none. */
  showConnections(status: ConnectionsStatus | undefined): void
}

export type ConnectionsStatus = () => Promise<readonly ConnectionStatus[]>

export interface MetricsSources {
  readonly pool: {
    readonly totalCount: number
    readonly idleCount: number
    readonly waitingCount: number
  }
  readonly auditLost: () => number
  readonly tracesDropped: () => { readonly sampled: number; readonly lost: number }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function createMetrics({ pool, auditLost, tracesDropped }: MetricsSources): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'scopegate_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'scopegate_http_request_duration_seconds',
    help: 'Time from the request to its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const failures = new Counter({
    name: 'scopegate_authentication_failures_total',
    help: 'Requests refused because of their token.',
    registers,
  })
  new Gauge({
    name: 'scopegate_database_connections',
    help: 'Connections to the database, and requests that wait for one.',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'idle' }, pool.idleCount)
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount)
      this.set({ state: 'waiting' }, pool.waitingCount)
    },
  })
  new Gauge({
    name: 'scopegate_audit_lost_events',
    help: 'Audit events that could not be written since the start.',
    registers,
    collect() {
      this.set(auditLost())
    },
  })
  new Gauge({
    name: 'scopegate_traces_dropped',
    help: 'Traces not kept since the start: sampled out under load, or lost while the database was away.',
    labelNames: ['why'],
    registers,
    collect() {
      const { sampled, lost } = tracesDropped()
      this.set({ why: 'sampled' }, sampled)
      this.set({ why: 'lost' }, lost)
    },
  })
  const connections = createConnectionMetrics(registry)
  return {
    ...connections,
    ...createKeyMetrics(registry),
    handler: async () =>
      new Response(await registry.metrics(), { headers: { 'Content-Type': registry.contentType } }),
    countRequest(route, method, status, seconds) {
      requests.inc({ route, method: METHODS.has(method) ? method : 'other', status })
      durations.observe({ route }, seconds)
    },
    countAuthenticationFailure: () => failures.inc(),
  }
}
