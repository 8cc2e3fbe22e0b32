import type { IncomingMessage, ServerResponse } from 'node:http'

/** A part of the server that answers requests itself, beside the engine. */
export interface Controller {
  /** As the node server matches them: `/oauth/x` exactly, `/oauth/x/*` with all below. */
  readonly routes: readonly string[]
  /** Whether a path is one of ours. */
  owns(path: string): boolean
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}
