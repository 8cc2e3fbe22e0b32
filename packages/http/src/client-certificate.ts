import { createHash, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'

/** Where the certificate of a client is known from. */
export type ClientCertificateSource =
  /** This server ends TLS, and asks. Any certificate is taken: what counts is that its key was there. */
  | { readonly from: 'tls' }
  /** A proxy ends TLS and writes it into a header, which nobody else may write. */
  | {
      readonly from: 'proxy'
      readonly header: string
      readonly isTrustedProxy: (address: string) => boolean
    }

const ofRequest = new WeakMap<IncomingMessage, string>()
const ofConnection = new WeakMap<object, string | undefined>()

/**
 * The SHA-256 thumbprint, base64url, of the certificate that the client of a request has shown;
 * `undefined` if it showed none or nobody asked. Says nothing of who issued it.
 *
 * @see RFC 8705 §3.1 `x5t#S256`
 */
export function clientCertificateOf(request: IncomingMessage): string | undefined {
  return ofRequest.get(request)
}

/** Finds the certificate, and takes the header out, whoever sent it. */
export function rememberClientCertificate(
  request: IncomingMessage,
  source: ClientCertificateSource,
): void {
  const thumbprint =
    source.from === 'tls' ? thumbprintOfConnection(request.socket) : takeHeader(request, source)
  if (thumbprint !== undefined) ofRequest.set(request, thumbprint)
}

function thumbprintOfConnection(socket: unknown): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  if (ofConnection.has(socket)) return ofConnection.get(socket)
  const { raw } = socket.getPeerCertificate() as { raw?: Buffer }
  const thumbprint = raw === undefined ? undefined : thumbprintOf(raw)
  ofConnection.set(socket, thumbprint)
  return thumbprint
}

function takeHeader(
  request: IncomingMessage,
  { header, isTrustedProxy }: Extract<ClientCertificateSource, { from: 'proxy' }>,
): string | undefined {
  const { rawHeaders } = request
  const wanted = spelled(header)
  const values: string[] = []
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    const name = rawHeaders[at] ?? ''
    // Some servers behind take `_` for `-`.
    if (spelled(name) !== wanted) continue
    if (name.toLowerCase() === header.toLowerCase()) values.push(rawHeaders[at + 1] ?? '')
    delete request.headers[name.toLowerCase()]
    rawHeaders.splice(at, 2)
  }
  const [value, ...more] = values
  if (value === undefined || more.length > 0) return undefined
  if (!isTrustedProxy(request.socket.remoteAddress ?? '')) return undefined
  return thumbprintOfHeader(value)
}

function spelled(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

const ONE_PEM = /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/

/** `:base64 of DER:` (RFC 9440), or PEM with percent encoding, as nginx writes it. */
function thumbprintOfHeader(value: string): string | undefined {
  try {
    const text = value.trim()
    const der = /^:([A-Za-z0-9+/]+=*):$/.exec(text)?.[1]
    if (der !== undefined) return thumbprintOf(new X509Certificate(Buffer.from(der, 'base64')).raw)
    const pem = decodeURIComponent(text)
    // Of two, one may be what the client wrote itself, before the proxy added its own.
    return ONE_PEM.test(pem) ? thumbprintOf(new X509Certificate(pem).raw) : undefined
  } catch {
    return undefined
  }
}

function thumbprintOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('base64url')
}
