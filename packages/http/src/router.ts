import { Hono } from 'hono'
import type { Handler } from './handler.ts'
import { problemResponse } from './problem.ts'

/** Where a handler answers: `/healthz` for that address only, `/fhir/r4/*` for it and all below. */
export interface Route {
  readonly path: string
  readonly handler: Handler
}

/**
 * One handler out of many. Methods are the handlers' own business; an address nobody has is 404;
 * what a handler throws goes to `onError`, and the caller gets a 500 without details.
 */
export function createRouter(
  routes: readonly Route[],
  options: { readonly onError?: (error: unknown, request: Request) => void } = {},
): Handler {
  const app = new Hono({ strict: false })
  for (const route of routes) app.all(route.path, (context) => route.handler(context.req.raw))
  app.notFound((context) =>
    problemResponse(context.req.raw, {
      status: 404,
      detail: 'There is nothing at this address.',
      fix: 'The landing page at / lists what this server offers.',
    }),
  )
  app.onError((error, context) => {
    options.onError?.(error, context.req.raw)
    return problemResponse(context.req.raw, { status: 500, detail: 'The server made a mistake.' })
  })
  return (request) => app.fetch(request)
}
