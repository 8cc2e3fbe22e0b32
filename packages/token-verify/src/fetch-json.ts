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

/** A form to post. */
export interface FormRequest {
  readonly form: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses that are answers, beside 200. */
  readonly statuses?: readonly number[]
}

const LIMITS: FetchLimits = { timeoutMs: 3000, maxBytes: 64 * 1024 }

/**
 * Fetches a small JSON document from a server that is named in configuration: no redirects, no
 * private addresses unless allowed, bounded in time and size.
 *
 * @throws {Error} whose message says what went wrong, for the operator.
 */
export async function fetchJson(
  address: string,
  policy: NetworkPolicy,
  limits: FetchLimits = LIMITS,
): Promise<FetchedJson> {
  const { text, cacheControl } = await ask(address, policy, limits)
  const maxAgeSeconds = maxAgeOf(cacheControl)
  return { value: parse(text), ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }) }
}

/** Posts a form and reads the JSON answer, under the same rules. @throws as {@link fetchJson} */
export async function postForm(
  address: string,
  policy: NetworkPolicy,
  request: FormRequest,
  limits: FetchLimits = LIMITS,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const { status, text } = await ask(address, policy, limits, request)
  return { status, value: parse(text) }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly cacheControl: string | undefined
}

function ask(
  address: string,
  policy: NetworkPolicy,
  limits: FetchLimits,
  post?: FormRequest,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const url = URL.parse(address)
  const refused = url === null ? 'not a URL' : refuseUrl(url, policy)
  if (url === null || refused !== undefined) return Promise.reject(new Error(refused))

  const statuses = [200, ...(post?.statuses ?? [])]
  const { request } = url.protocol === 'http:' ? http : https
  const body = post?.form.toString()
  const outgoing = request(url, {
    method: post === undefined ? 'GET' : 'POST',
    agent: false,
    lookup: guardedLookup(policy),
    headers: {
      accept: 'application/jwk-set+json, application/json',
      'user-agent': 'scopegate',
      ...(body !== undefined && {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      }),
      ...post?.headers,
    },
    signal: AbortSignal.timeout(limits.timeoutMs),
  })
  const fail = (error: Error) => {
    const late = error.name === 'TimeoutError' || error.name === 'AbortError'
    reject(late ? new Error(`no answer within ${limits.timeoutMs} ms`) : error)
  }
  outgoing.on('error', fail)
  outgoing.on('response', (response) => {
    const { statusCode: status = 0 } = response
    if (!statuses.includes(status)) {
      response.destroy()
      const where = status >= 300 && status < 400 ? ': redirects are not followed' : ''
      reject(new Error(`answered with status ${status}, expected 200${where}`))
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('error', fail)
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
      const cacheControl = response.headers['cache-control']
      resolve({ status, text: Buffer.concat(chunks).toString('utf8'), cacheControl })
    })
  })
  outgoing.end(body)
  return promise
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('answer is not JSON')
  }
}

function maxAgeOf(cacheControl: string | undefined): number | undefined {
  if (cacheControl === undefined) return undefined
  if (/(?:^|[\s,])(?:no-store|no-cache)(?:$|[\s,=])/i.test(cacheControl)) return 0
  const seconds = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(cacheControl)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
