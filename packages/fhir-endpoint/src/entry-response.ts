import { STATUS_CODES } from 'node:http'
import type { Reply } from './reply.ts'

/**
 * The entry of a response Bundle: what stands in status line and headers of a single answer stands
 * in `response`; an OperationOutcome is its `outcome`, anything else the `resource`.
 */
export function entryResponse(reply: Reply): string {
  const { status, headers, body, lastUpdated } = reply
  const location = headers.Location ?? headers['Content-Location']
  const response = JSON.stringify({
    status: `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd(),
    ...(location === undefined ? {} : { location }),
    ...(headers.ETag === undefined ? {} : { etag: headers.ETag }),
    ...(lastUpdated === undefined ? {} : { lastModified: lastUpdated }),
  })
  if (body === null) return `{"response":${response}}`
  if (!isOutcome(body)) return `{"resource":${body},"response":${response}}`
  return `{"response":${response.slice(0, -1)},"outcome":${body}}}`
}

function isOutcome(body: string): boolean {
  return body.startsWith('{"resourceType":"OperationOutcome"')
}
