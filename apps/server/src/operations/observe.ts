import { redactPath } from '@scopegate/audit'
import type { Handler } from '@scopegate/http'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

/**
 * Counts and logs what a handler answers. Refusals and failures are logged with their correlation
 * id, successes only at `debug`. Values of search parameters never reach the log.
 *
 * @param route the label in the metrics: one per mounted part, never a path
 */
export function observe(route: string, handler: Handler, log: Logger, metrics: Metrics): Handler {
  return async (request) => {
    const startedMs = performance.now()
    const response = await handler(request)
    const tookMs = performance.now() - startedMs
    metrics.countRequest(route, request.method, response.status, tookMs / 1000)
    const level = response.status >= 500 ? 'error' : response.status >= 400 ? 'info' : 'debug'
    if (log.isLevelEnabled(level)) {
      log[level](
        {
          correlationId: response.headers.get('x-request-id') ?? undefined,
          method: request.method,
          path: redactPath(targetOf(request.url)),
          status: response.status,
          ms: Math.round(tookMs * 10) / 10,
        },
        'request',
      )
    }
    return response
  }
}

function targetOf(url: string): string {
  return url.slice(url.indexOf('/', url.indexOf('://') + 3))
}
