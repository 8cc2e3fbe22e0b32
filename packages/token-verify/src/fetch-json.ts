import * as http from 'node:http'
import * as https from 'node:https'
import { guardedLookup, type NetworkPolicy, refuseUrl } from './network-policy.ts'

export interface FetchLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

export interface FetchedJson {
  readonly value: unknown
  /** How long the answer may be kept, by its `Cache-Control`; `undefined` if it does not say. */
  readonly maxAgeSeconds?: number
}

/**
 * Fetches a small JSON document from a server that is named in configuration: no redirects, no
 * private addresses unless allowed, bounded in time and size.
 *
 * @throws {Error} whose message says what went wrong, for the operator.
 */
export function fetchJson(
  address: string,
  policy: NetworkPolicy,
  limits: FetchLimits = { timeoutMs: 3000, maxBytes: 64 * 1024 },
): Promise<FetchedJson> {
  const { promise, resolve, reject } = Promise.withResolvers<FetchedJson>()
  const url = URL.parse(address)
  const refused = url === null ? 'not a URL' : refuseUrl(url, policy)
  if (url === null || refused !== undefined) return Promise.reject(new Error(refused))

  const { request } = url.protocol === 'http:' ? http : https
  const outgoing = request(url, {
    agent: false,
    lookup: guardedLookup(policy),
    headers: { accept: 'application/jwk-set+json, application/json', 'user-agent': 'scopegate' },
    signal: AbortSignal.timeout(limits.timeoutMs),
  })
  outgoing.on('error', (error) => {
    const late = error.name === 'TimeoutError' || error.name === 'AbortError'
    reject(late ? new Error(`no answer within ${limits.timeoutMs} ms`) : error)
  })
  outgoing.on('response', (response) => {
    if (response.statusCode !== 200) {
      response.destroy()
      reject(new Error(`answered with status ${response.statusCode}, expected 200`))
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('error', reject)
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.maxBytes) {
        response.destroy()
        reject(new Error(`answer is larger than ${limits.maxBytes} bytes`))
        return
      }
      chunks.push(chunk)
    })
    response.on('end', () => {
      try {
        const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
        const maxAgeSeconds = maxAgeOf(response.headers['cache-control'])
        resolve({ value, ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }) })
      } catch {
        reject(new Error('answer is not JSON'))
      }
    })
  })
  outgoing.end()
  return promise
}

function maxAgeOf(cacheControl: string | undefined): number | undefined {
  if (cacheControl === undefined) return undefined
  if (/(?:^|[\s,])(?:no-store|no-cache)(?:$|[\s,=])/i.test(cacheControl)) return 0
  const seconds = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
