import type { IncomingMessage } from 'node:http'
import { forwardedForOf } from './client-address.ts'
import { clientCertificateOf } from './client-certificate.ts'

/** What a `Request` cannot say about how it came in. */
export interface RequestFacts {
  /** The peer's address; a proxy's when there is one. Missing in tests without a socket. */
  readonly remoteAddress?: string
  /** `X-Forwarded-For` as sent; see `createClientAddress` for what it is worth. */
  readonly forwardedFor?: string
  /** SHA-256 thumbprint, base64url, of the certificate that the client has shown. */
  readonly clientCertificate?: string
  /** Headers that may stand once but came more than once, in lower case. */
  readonly repeatedHeaders: readonly string[]
}

const NOTHING: RequestFacts = Object.freeze({ repeatedHeaders: [] })
const incomingOf = new WeakMap<Request, IncomingMessage>()

/**
 * Node keeps the first of a repeated `Authorization` and drops the rest; a proxy in front may have
 * looked at the last. Whoever authenticates asks here and refuses.
 */
export function requestFacts(request: Request): RequestFacts {
  const incoming = incomingOf.get(request)
  if (incoming === undefined) return NOTHING
  const clientCertificate = clientCertificateOf(incoming)
  const forwardedFor = forwardedForOf(incoming)
  return {
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(forwardedFor === undefined ? {} : { forwardedFor }),
    ...(incoming.socket.remoteAddress === undefined
      ? {}
      : { remoteAddress: incoming.socket.remoteAddress }),
    repeatedHeaders: repeatedHeaders(incoming.rawHeaders),
  }
}

export function rememberIncoming(request: Request, incoming: IncomingMessage): void {
  incomingOf.set(request, incoming)
}

/** `inner` is made on behalf of `outer`: whoever asks about it learns of the one that came in. */
export function inheritRequestFacts(inner: Request, outer: Request): Request {
  const incoming = incomingOf.get(outer)
  if (incoming !== undefined) incomingOf.set(inner, incoming)
  return inner
}

const authorityOf = new WeakMap<IncomingMessage, string>()

/**
 * The authority of a request target in absolute form, as it was sent (`evil.example:80`), which
 * routing leaves out of account; `undefined` for the usual form.
 */
export function targetAuthorityOf(request: IncomingMessage): string | undefined {
  return authorityOf.get(request)
}

export function rememberTargetAuthority(request: IncomingMessage, authority: string): void {
  authorityOf.set(request, authority)
}

const ONCE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'if-modified-since',
  'if-none-exist',
  'origin',
  'x-request-id',
])

/** Names, in lower case, of the headers that must not repeat and do. */
export function repeatedHeaders(rawHeaders: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (!ONCE.has(name)) continue
    if (seen.has(name)) repeated.add(name)
    seen.add(name)
  }
  return repeated.size === 0 ? [] : [...repeated]
}
