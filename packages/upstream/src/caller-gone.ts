import type { ServerResponse } from 'node:http'

const GONE = new Error('the caller hung up')

/**
 * Aborted when the caller hangs up before it has its whole answer. Costs next to nothing when it does
 * not: an abort without a reason of its own would make an exception for every request.
 */
export function callerGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(GONE)
  })
  return gone.signal
}
