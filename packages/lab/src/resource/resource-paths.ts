import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { LabResourceRequest } from './lab-resource-types.ts'

/** What a request, once its token is taken, is answered; what there is stands in docs/reference/lab.md. */
export async function answerResource(
  request: IncomingMessage,
  response: ServerResponse,
  seen: LabResourceRequest,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://lab.example')
  const number = (name: string, otherwise: number) =>
    Number(url.searchParams.get(name) ?? otherwise)
  switch (url.pathname) {
    case '/big':
      return sendBig(response, number('bytes', 1024 * 1024))
    case '/events':
      return sendEvents(response, number('count', 3), number('everyMs', 20))
    case '/trailers':
      return sendTrailers(response)
    case '/redirect':
      await readBody(request, seen)
      response.writeHead(302, { location: url.searchParams.get('to') ?? '/' }).end()
      return
    case '/status':
      await readBody(request, seen)
      return sendJson(response, number('code', 200), { status: number('code', 200) })
  }
  const body = await readBody(request, seen)
  if (request.method === 'GET' && /^\/(?:[^/]+\/)*Patient\/[^/]+$/.test(url.pathname)) {
    const id = url.pathname.split('/').at(-1)
    return sendJson(response, 200, { resourceType: 'Patient', id, active: true })
  }
  sendJson(response, 200, {
    method: request.method,
    url: request.url,
    headers: withoutToken(request),
    body,
  })
}

/** Counts and hashes, and keeps nothing: bodies may be as long as they like. */
async function readBody(request: IncomingMessage, seen: LabResourceRequest) {
  const hash = createHash('sha256')
  for await (const chunk of request) {
    seen.bodyBytes += (chunk as Buffer).length
    hash.update(chunk as Buffer)
  }
  return { bytes: seen.bodyBytes, sha256: hash.digest('hex') }
}

/** Names and values as they came, in order; of the token no more than that there was one. */
function withoutToken({ rawHeaders }: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    const isToken = name.toLowerCase() === 'authorization'
    pairs.push([name, isToken ? `${value.split(' ')[0]} …` : value])
  }
  return pairs
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

async function sendBig(response: ServerResponse, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
  await pipeline(async function* () {
    for (let left = bytes; left > 0; left -= chunk.length) {
      yield left < chunk.length ? chunk.subarray(0, left) : chunk
    }
  }, response)
}

async function sendEvents(response: ServerResponse, count: number, everyMs: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  for (let index = 1; index <= count && !response.destroyed; index++) {
    response.write(`id: ${index}\ndata: event ${index}\n\n`)
    if (index < count) await wait(everyMs)
  }
  response.end()
}

function sendTrailers(response: ServerResponse): void {
  response.writeHead(200, { trailer: 'X-Checksum', 'transfer-encoding': 'chunked' })
  response.write('with a trailer')
  response.addTrailers({ 'X-Checksum': 'abc' })
  response.end()
}
