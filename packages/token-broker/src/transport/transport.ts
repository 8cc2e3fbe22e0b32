import { getCACertificates } from 'node:tls'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { ConnectionTransport } from '../connection.ts'
import { decideProxy } from './decide-proxy.ts'
import { isLoopbackHost } from './loopback-host.ts'
import { codeOf, TransportFault } from './transport-fault.ts'

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** As UTF-8. */
  readonly text: string
  /** The server's clock minus ours, if it said. */
  readonly clockSkewSeconds?: number
}

/** Requests of one connection: its proxy, its authorities, its client certificate. */
export interface Transport {
  /**
   * One request on a TCP connection of its own, so that it is known whether it was sent. Redirects
   * are answers. The caller limits the time with `signal`.
   *
   * @throws {TransportFault}
   */
  send(request: OutgoingRequest, signal: AbortSignal): Promise<Answer>
}

export interface TransportOptions {
  readonly transport: ConnectionTransport
  readonly nowMs: () => number
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Token answers are some kilobytes, metadata too. */
const MAX_BYTES = 256 * 1024

/** @see ConnectionTransport */
export function createTransport({ transport, nowMs, environment }: TransportOptions): Transport {
  const dispatchers = new Map<string, Dispatcher>()

  function dispatcherFor(proxy: string | undefined): Dispatcher {
    const known = dispatchers.get(proxy ?? '')
    if (known !== undefined) return known
    const options = { pipelining: 0, headersTimeout: 0, bodyTimeout: 0, maxResponseSize: -1 }
    const connect = { ...tlsOptions(transport), timeout: transport.timeoutMs }
    const made =
      proxy === undefined
        ? new Agent({ ...options, connect, allowH2: false })
        : new ProxyAgent({
            ...options,
            uri: proxy,
            allowH2: false,
            requestTls: connect,
            // The proxy may be known to the same private authority; it gets no client certificate.
            proxyTls: { ...(transport.ca !== undefined && { ca: trusted(transport.ca) }) },
          })
    dispatchers.set(proxy ?? '', made)
    return made
  }

  return {
    async send(request, signal) {
      const url = new URL(request.url)
      const proxy = decideProxy(url, transport.proxy, environment)
      const refused = refuse(url, transport)
      if (refused !== undefined) {
        throw new TransportFault(refused, { code: 'refused', wasSent: false, proxy: proxy.shown })
      }
      let wasSent = false
      try {
        // Inside, since an unreadable certificate or proxy shows here.
        const dispatcher = dispatcherFor(proxy.url).compose(
          (dispatch) => (options, handler) =>
            dispatch(
              options,
              watchStart(handler, () => {
                wasSent = true
              }),
            ),
        )
        const pending = dispatcher.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers: { 'accept-encoding': 'identity', 'user-agent': 'scopegate', ...request.headers },
          ...(request.body !== undefined && { body: request.body }),
          signal,
          reset: true,
        })
        const response = await orAborted(pending, signal)
        const receivedAtMs = nowMs()
        const headers = headersOf(response.headers)
        const bytes = decode(await readBounded(response.body), headers.get('content-encoding'))
        const clockSkewSeconds = skewOf(headers.get('date'), receivedAtMs)
        return {
          status: response.statusCode,
          headers,
          text: bytes.toString('utf8'),
          ...(clockSkewSeconds !== undefined && { clockSkewSeconds }),
        }
      } catch (error) {
        throw faultOf(error, { signal, wasSent, proxy: proxy.shown, origin: url.origin })
      }
    },
  }
}

/** Tells when the request is about to be written to a connection that stands. */
function watchStart(
  handler: Dispatcher.DispatchHandler,
  onStart: () => void,
): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      onStart()
      handler.onRequestStart?.(controller, context)
    },
    onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
    onResponseStart: (...given) => handler.onResponseStart?.(...given),
    onResponseData: (...given) => handler.onResponseData?.(...given),
    onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
    onResponseError: (...given) => handler.onResponseError?.(...given),
  }
}

/** undici notices the signal only once the connection stands; a name may hang for minutes. */
async function orAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([pending, promise])
  } finally {
    signal.removeEventListener('abort', abort)
    // Whichever lost is nobody's concern any more.
    pending.catch(() => {})
    promise.catch(() => {})
  }
}

function refuse(url: URL, { allowPlain }: ConnectionTransport): string | undefined {
  const isLoopback = isLoopbackHost(url.hostname)
  if (url.username !== '' || url.password !== '')
    return 'the address holds a user name or a password'
  if (isLoopback && !allowPlain) {
    return `\`${url.host}\` is on loopback, and the connection is not`
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)) return undefined
  return `\`${url.protocol}//${url.host}\` is not https`
}

function tlsOptions({ ca, certificate }: ConnectionTransport) {
  return {
    ...(ca !== undefined && { ca: trusted(ca) }),
    ...(certificate && {
      cert: certificate.certificate,
      key: certificate.key(),
      ...(certificate.passphrase && { passphrase: certificate.passphrase() }),
    }),
  }
}

/** What the process trusts (system store and NODE_EXTRA_CA_CERTS, as it was started), and `ca`. */
function trusted(ca: string): string[] {
  return [...getCACertificates('default'), ca]
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new TooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

class TooLarge extends Error {
  readonly code = 'answer_too_large'
}

/** We ask for none, and some send it anyway. */
function decode(bytes: Buffer, encoding: string | null): Buffer {
  const limit = { maxOutputLength: MAX_BYTES }
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, limit)
    case 'deflate':
      return inflateSync(bytes, limit)
    case 'br':
      return brotliDecompressSync(bytes, limit)
    default:
      return bytes
  }
}

function headersOf(received: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined) headers.append(name, each)
    }
  }
  return headers
}

/** Whole seconds towards 0: `Date` tells the second that had begun, and clocks that agree must be found to. */
function skewOf(date: string | null, receivedAtMs: number): number | undefined {
  const theirs = date === null ? Number.NaN : Date.parse(date)
  return Number.isNaN(theirs) ? undefined : Math.trunc((theirs + 500 - receivedAtMs) / 1000) + 0
}

function faultOf(
  error: unknown,
  at: { signal: AbortSignal; wasSent: boolean; proxy: string; origin: string },
): TransportFault {
  const { wasSent, proxy, origin } = at
  if (at.signal.aborted) {
    const isLate = (at.signal.reason as Error | undefined)?.name === 'TimeoutError'
    const why = isLate ? 'no answer in time' : 'given up by the caller'
    const code = isLate ? 'timeout' : 'aborted'
    return new TransportFault(`${origin}: ${why}`, { code, wasSent, proxy })
  }
  const proxyStatus = /^Proxy response \((\d{3})\)/.exec((error as Error).message)?.[1]
  const code = proxyStatus === undefined ? codeOf(error) : `proxy_status_${proxyStatus}`
  return new TransportFault(`${origin}: ${code}`, { code, wasSent, proxy })
}
