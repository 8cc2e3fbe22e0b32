import { createRouter, type FaultForm, type Handler, type NodeRoute } from '@scopegate/http'
import { createKeySetHandler, jwksPath } from '@scopegate/keys'
import { CONNECTION_CALLBACK_PATH } from './landing/connection-callback.ts'
import { createDoctorHandler } from './landing/doctor-handler.ts'
import { createLandingHandler } from './landing/landing-handler.ts'
import type { Logger } from './operations/logger.ts'
import { observe } from './operations/observe.ts'
import type { Parts } from './wire.ts'

/** Everything that answers requests, as the HTTP server takes it. */
export interface Served {
  readonly handler: Handler
  /** Of the admin API, where it has a listener of its own. */
  readonly adminHandler: Handler
  readonly nodeRoutes: readonly NodeRoute[]
  /** Of the sidecar, where it has a listener of its own. */
  readonly sidecarRoutes: readonly NodeRoute[]
  readonly faultForms: readonly FaultForm[]
}

/** The parts at their addresses, counted and logged. */
export function serve(parts: Parts, hasSample: boolean, log: Logger): Served {
  const { authorizationServer, fhirEndpoint, adminApi, apiGateway, sidecar, health, metrics } =
    parts
  const landing = createLandingHandler(parts, { hasSample, nowMs: Date.now })
  const fhir = observe('fhir', fhirEndpoint.fetch, log, metrics)
  const admin = observe('admin', adminApi.fetch, log, metrics)
  const { adminUrl, adminHasOwnListener } = parts
  const doctor = createDoctorHandler({ admin, adminUrl, url: adminUrl })
  const onError = (error: unknown) => log.error({ error }, 'request failed')
  const adminRoutes = [
    ...adminApi.routes.map(({ path }) => ({ path, handler: admin })),
    { path: '/admin/doctor', handler: observe('landing', doctor, log, metrics) },
  ]
  const handler = createRouter(
    [
      ...fhirEndpoint.routes.map((path) => ({ path, handler: fhir })),
      ...(adminHasOwnListener ? [] : adminRoutes),
      {
        path: jwksPath(':name'),
        handler: observe('keys', createKeySetHandler(parts.signKeys), log, metrics),
      },
      {
        path: CONNECTION_CALLBACK_PATH,
        handler: observe('landing', parts.connectionCallback, log, metrics),
      },
      { path: '/', handler: observe('landing', landing, log, metrics) },
      { path: '/healthz', handler: health.healthz },
      { path: '/readyz', handler: health.readyz },
      { path: '/metrics', handler: metrics.handler },
    ],
    { onError },
  )
  const oauth: NodeRoute['handle'] = (request, response) => {
    const startedMs = performance.now()
    response.once('finish', () => {
      const seconds = (performance.now() - startedMs) / 1000
      metrics.countRequest('oauth', request.method ?? '', response.statusCode, seconds)
    })
    authorizationServer.node(request, response)
  }
  return {
    handler,
    adminHandler: createRouter(adminHasOwnListener ? adminRoutes : [], { onError }),
    sidecarRoutes: sidecar?.hasOwnListener ? sidecar.routes : [],
    nodeRoutes: [
      ...(sidecar && !sidecar.hasOwnListener ? sidecar.routes : []),
      ...(apiGateway?.routes ?? []).map((path) => ({
        path,
        handle: apiGateway!.node,
        upgrade: apiGateway!.upgrade,
        streams: true,
      })),
      ...authorizationServer.routes.map((path): NodeRoute => ({ path, handle: oauth })),
    ],
    faultForms: fhirEndpoint.faultForms,
  }
}
