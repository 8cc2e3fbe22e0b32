import { finishPage } from '../pages/finish-page.ts'
import type { Visit } from './visit.ts'

/**
 * Sends the browser back to the engine, which answers the app: by a redirect if no form was sent,
 * else by a page.
 */
export function finish(visit: Visit): void {
  const { deps, details, response, client, frame, request } = visit
  if (request.method === 'POST') deps.pages.redirect(response, visit.base)
  else
    deps.pages.send(response, finishPage(frame, { appName: client.name, href: details.returnTo }))
}

/** Ends the interaction with a result of the engine. */
export async function conclude(visit: Visit, result: object): Promise<void> {
  const { deps, response, details, state } = visit
  // What the engine's interactionResult does, without reading anew what this request has read.
  details.result = result as never
  await details.persist()
  if (state.posted) return finish(visit)
  deps.pages.redirect(response, details.returnTo)
}

/** Tells the app that nothing was granted. */
export function refuse(visit: Visit, error: string, description: string): Promise<void> {
  return conclude(visit, { error, error_description: description })
}
