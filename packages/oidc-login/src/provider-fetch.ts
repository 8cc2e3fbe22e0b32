import { isIP } from 'node:net'

/** The provider could not be reached, or answered that it cannot work now. */
export class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable'
}

/** An address, named by the provider's metadata, that must not be asked. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface ProviderFetchOptions {
  readonly issuer: string
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly fetch: Fetch
}

/** `localhost`, `*.localhost`, 127.0.0.0/8 and ::1. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 4) return host.startsWith('127.')
  if (isIP(host) === 6) return host === '::1'
  return host === 'localhost' || host.endsWith('.localhost')
}

/**
 * A fetch for one provider: https only, or plain http where the configured issuer itself is on
 * loopback; no redirects; bounded in time and size. What cannot be reached, and 5xx and 429, is a
 * {@link ProviderUnreachable}. Names are not resolved here: a name that is pointed at an inner
 * address does not get past the check of its TLS certificate.
 */
export function createProviderFetch(options: ProviderFetchOptions): Fetch {
  const issuerOnLoopback = isLoopbackHost(new URL(options.issuer).hostname)

  return async (address, init) => {
    const url = new URL(address)
    const refused = refuse(url, issuerOnLoopback)
    if (refused !== undefined) throw new AddressRefused(refused)
    const where = `${url.origin}${url.pathname}`
    const late = AbortSignal.timeout(options.timeoutMs)
    try {
      const response = await options.fetch(address, { ...init, redirect: 'manual', signal: late })
      const body = await readBounded(response, options.maxBytes)
      if (response.status >= 500 || response.status === 429) {
        throw new ProviderUnreachable(`${where} answered with status ${response.status}`)
      }
      const bare = [204, 304].includes(response.status)
      return new Response(bare ? null : body, {
        status: response.status,
        headers: response.headers,
      })
    } catch (cause) {
      if (cause instanceof ProviderUnreachable || cause instanceof AddressRefused) throw cause
      const why = late.aborted ? `no answer within ${options.timeoutMs} ms` : reasonOf(cause)
      throw new ProviderUnreachable(`${where}: ${why}`, { cause })
    }
  }
}

function refuse(url: URL, issuerOnLoopback: boolean): string | undefined {
  const loopback = isLoopbackHost(url.hostname)
  if (url.username !== '' || url.password !== '') return 'the URL holds a user name or a password'
  if (loopback && !issuerOnLoopback) return `\`${url.host}\` is on loopback, and the issuer is not`
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) return undefined
  return `\`${url.protocol}//${url.host}\` is not https`
}

async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message
  return error.message
}
