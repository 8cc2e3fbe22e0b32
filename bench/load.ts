import { createSecureContext } from 'node:tls'
import { Client } from 'undici'

export interface LoadRequest {
  readonly origin: string
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** A new body for every request, where they must differ; `undefined` ends the run. */
  readonly body?: () => string | undefined
  /** A new path for every request, where they must differ. */
  readonly nextPath?: () => string
  readonly connections?: number
  /** Every request on a connection of its own; with TLS, a handshake without resumption for each. */
  readonly reconnect?: boolean
  /** PEM of the CA to trust. */
  readonly ca?: string
  readonly seconds?: number
}

export interface LoadResult {
  /** Answers while it was measured; the warm-up is not in it. */
  readonly count: number
  /** The warm-up too: what CPU time of the whole run is divided by. */
  readonly sent: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly bytesPerAnswer: number
}

/**
 * Keeps `connections` requests under way for `seconds`, after a warm-up of a quarter of that.
 *
 * @throws when an answer is not 2xx: a benchmark of refusals is no benchmark
 */
export async function load(request: LoadRequest): Promise<LoadResult> {
  const { seconds = 4 } = request
  const warmUp = await shoot(request, Math.min(2, seconds / 4))
  const result = await shoot(request, seconds)
  return { ...result, sent: warmUp.count + result.count }
}

async function shoot(request: LoadRequest, seconds: number): Promise<Omit<LoadResult, 'sent'>> {
  const { connections = 32 } = request
  const latenciesMs: number[] = []
  let bytes = 0
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1000

  const trust = request.ca === undefined ? {} : { secureContext: createSecureContext(request) }
  const connect = () => new Client(request.origin, { pipelining: 1, connect: trust })
  const connection = async () => {
    let client = connect()
    while (performance.now() < endMs) {
      const body = request.body?.()
      if (request.body && body === undefined) break
      const sentMs = performance.now()
      const received = await once(client, request, body)
      bytes += received
      latenciesMs.push(performance.now() - sentMs)
      if (!request.reconnect) continue
      await client.close()
      client = connect()
    }
    await client.close()
  }
  await Promise.all(Array.from({ length: connections }, connection))

  const tookSeconds = (performance.now() - startedMs) / 1000
  latenciesMs.sort((a, b) => a - b)
  const quantile = (q: number) => latenciesMs[Math.floor(q * (latenciesMs.length - 1))] ?? 0
  return {
    count: latenciesMs.length,
    perSecond: latenciesMs.length / tookSeconds,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    bytesPerAnswer: bytes / latenciesMs.length,
  }
}

function once(client: Client, request: LoadRequest, body = ''): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let status = 0
  let bytes = 0
  let problem = ''
  client.dispatch(
    {
      path: request.nextPath?.() ?? request.path,
      method: request.method ?? 'GET',
      headers: { ...request.headers },
      body: body || null,
    },
    {
      onRequestStart() {},
      onResponseStart(_controller, statusCode) {
        status = statusCode
      },
      onResponseData(_controller, chunk) {
        bytes += chunk.length
        if (status >= 300 && problem.length < 500) problem += chunk.toString()
      },
      onResponseEnd() {
        if (status < 300) resolve(bytes)
        else reject(new Error(`answered ${status}: ${problem.slice(0, 500)}`))
      },
      onResponseError(_controller, error) {
        reject(error)
      },
    },
  )
  return promise
}
