import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { guardedLookup, type NetworkPolicy, refuseUrl } from '@scopegate/token-verify'

/** What an address answered; the certificate was verified. */
export interface Probed {
  readonly status: number
  /** Epoch milliseconds, by its `Date` header. */
  readonly dateMs?: number
  /** Half of the time that it took: how far `dateMs` may be off. */
  readonly halfTripMs: number
  /** Epoch milliseconds at the middle of the exchange, by our clock. */
  readonly atMs: number
  /** When its certificate ends, epoch milliseconds. */
  readonly certificateEndsMs?: number
  readonly text: string
}

const MAX_BYTES = 256 * 1024

/**
 * GET of an address, without following redirects, bounded in size. The certificate is verified
 * always.
 *
 * @param network Where it may lead; needed for addresses that others state, such as `jwks_uri`.
 * @throws what Node says of the connection, or why the address is not fetched
 */
export async function probe(
  address: string,
  signal: AbortSignal,
  network?: NetworkPolicy,
): Promise<Probed> {
  const url = new URL(address)
  const refused = network && refuseUrl(url, network)
  if (refused !== undefined) throw new Error(refused)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const startedMs = Date.now()
  return new Promise((resolve, reject) => {
    const request = send(url, {
      agent: false,
      signal,
      ...(network && { lookup: guardedLookup(network) }),
      headers: {
        accept: 'application/json, */*;q=0.1',
        'user-agent': 'scopegate-doctor',
        connection: 'close',
      },
    })
    request.on('error', reject)
    request.on('response', (response) => {
      const endedMs = Date.now()
      const certificate = certificateOf(response.socket as TLSSocket)
      const date = Date.parse(response.headers.date ?? '')
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > MAX_BYTES)
          request.destroy(new Error(`its answer is larger than ${MAX_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          halfTripMs: (endedMs - startedMs) / 2,
          atMs: (startedMs + endedMs) / 2,
          text: Buffer.concat(chunks).toString('utf8'),
          ...(Number.isNaN(date) ? {} : { dateMs: date }),
          ...(certificate && { certificateEndsMs: Date.parse(certificate.valid_to) }),
        }),
      )
    })
    request.end()
  })
}

function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerCertificate?.()
  return certificate?.valid_to === undefined ? undefined : certificate
}
