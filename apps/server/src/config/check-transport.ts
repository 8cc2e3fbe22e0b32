import { isLoopback, normalizeName } from '@scopegate/http'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'

/** Plain http reaches loopback only, unless a proxy in front is declared to end TLS. */
export function checkTransport(
  settings: Settings,
  url: URL,
  host: string,
  reader: ReferenceReader,
): void {
  const { tls, behindTlsProxy } = settings.server
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    reader.complain(['server', 'url'], 'plain http is served on loopback only', {
      fix: 'use an https URL, with `server.tls` or, behind a proxy that ends TLS, `server.behindTlsProxy: true`',
    })
  } else if (url.protocol === 'http:' && tls) {
    reader.complain(['server', 'url'], 'an http URL together with `server.tls`', {
      fix: 'write https, or remove `server.tls`',
    })
  } else if (url.protocol === 'https:' && !tls && !behindTlsProxy) {
    reader.complain(['server', 'url'], 'an https URL, but nothing here ends TLS', {
      fix: 'give `server.tls` a certificate, or say `server.behindTlsProxy: true`',
    })
  } else if (!tls && !behindTlsProxy && !isLoopback(host)) {
    reader.complain(['server', 'listen'], 'plain http would be served off loopback', {
      fix: 'listen on 127.0.0.1, or give `server.tls`, or say `server.behindTlsProxy: true`',
    })
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    reader.complain(['server', 'url'], 'more than scheme, host and port', {
      fix: `write ${url.origin}: the parts of the server are below it`,
    })
  }
}

/** Who is to know the certificates of clients must be there. */
export function checkClientCertificates({ server }: Settings, reader: ReferenceReader): void {
  const { clientCertificates, tls, trustedProxies } = server
  if (clientCertificates === 'tls' && !tls) {
    reader.complain(['server', 'clientCertificates'], 'nothing here ends TLS', {
      fix: 'give `server.tls` a certificate; or write `proxy`, with `server.trustedProxies`',
    })
  } else if (clientCertificates === 'proxy' && trustedProxies.length === 0) {
    reader.complain(['server', 'clientCertificates'], 'no proxy is trusted', {
      fix: 'list the addresses of the proxies under `server.trustedProxies`',
    })
  }
}

/** A certificate of one's own, or a local one: one of both, and whole. */
export function checkTls({ server: { tls } }: Settings, reader: ReferenceReader): void {
  if (tls === undefined) return
  for (const key of ['certFile', 'keyFile'] as const) {
    if (tls.local === (tls[key] === undefined)) continue
    reader.complain(
      ['server', 'tls', key],
      tls.local ? 'a file together with a local certificate' : 'required',
      {
        fix: tls.local
          ? 'remove it, or remove `local` (`--tls`)'
          : 'name the PEM file, or write `local: true` for a certificate of a local CA',
      },
    )
  }
  for (const [index, name] of tls.names.entries()) {
    if (tls.local && normalizeName(name) !== undefined) continue
    reader.complain(
      ['server', 'tls', 'names', index],
      tls.local ? `no host name and no IP address: \`${name}\`` : 'names without `local`',
      {
        fix: tls.local
          ? 'write a name such as fhir.lab.example (no wildcard, no port), or an IP address'
          : 'a certificate of your own brings its names: remove them, or write `local: true`',
      },
    )
  }
}
