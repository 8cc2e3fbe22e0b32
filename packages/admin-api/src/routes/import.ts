import type { AdminAnswer, AdminCall } from '../call.ts'
import { importStream } from '../import/import-stream.ts'
import { AdminProblem } from '../problem.ts'

/**
 * Reads NDJSON (a resource or a Bundle per line) as it arrives and answers NDJSON as it goes:
 * `refused` per refused resource, `progress` now and then, one `report` at the end. Sending the
 * same again is safe: what is there already counts as unchanged.
 */
export async function importResources({ deps, request }: AdminCall): Promise<AdminAnswer> {
  if (request.body === null) {
    throw new AdminProblem(400, 'nothing was sent', 'send resources as NDJSON, one per line')
  }
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity') {
    throw new AdminProblem(415, `Content-Encoding ${encoding} is not accepted`, 'send plain NDJSON')
  }
  const { stream, report } = importStream(request.body, deps.importer, deps.nowMs)
  return {
    response: new Response(stream, {
      headers: { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' },
    }),
    finished: report.then(({ read, refused, types }) => ({ detail: { read, refused, types } })),
  }
}
