import { isLoopback } from '@scopegate/http'
import { type OwnListener, ownListener } from './own-listener.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'
import { sidecarPlace } from './sidecar-place.ts'

/** Where the admin API listens and is reached. */
export type AdminPlace =
  /** Beside everything else. */
  | { readonly kind: 'main'; readonly url: string }
  | ({
      readonly kind: 'own'
      /** Its public base URL, without a trailing slash. */
      readonly url: string
    } & OwnListener)

/** The audience of its tokens follows from `url`: the same place gives the same. */
export function adminPlace({ server, admin }: Pick<Settings, 'server' | 'admin'>): AdminPlace {
  const own = ownListener(admin.listen)
  if (own === undefined) return { kind: 'main', url: server.url }
  const url = new URL(own.reach === 'loopback' ? `http://${admin.listen}` : server.url)
  url.port = String(own.port)
  return { kind: 'own', ...own, url: new URL(admin.url ?? url).origin }
}

/** Reports where it could not be reached, or its tokens would travel in the clear. */
export function checkAdmin(
  settings: Settings,
  listen: { readonly host: string; readonly port: number },
  reader: ReferenceReader,
): void {
  const { server, admin } = settings
  const place = adminPlace(settings)
  if (place.kind === 'main') {
    if (admin.url !== undefined) {
      reader.complain(['admin', 'url'], 'it has no listener of its own', {
        fix: 'give `admin.listen` too, such as 127.0.0.1:9090, or remove `admin.url`',
      })
    }
    return
  }
  const { port, reach } = place
  const endsTls = reach === 'network' && server.tls !== undefined
  const at = ['admin', 'listen'] as const
  if (reach === 'network' && !endsTls && !server.behindTlsProxy) {
    reader.complain(at, 'plain http would be served off loopback', {
      fix: 'listen on 127.0.0.1, or give `server.tls`, which serves it too',
    })
  } else if (reach === 'network' && !endsTls && admin.url === undefined) {
    reader.complain(at, 'the address of the proxy in front of it is not known', {
      fix: 'write it as `admin.url`, such as https://admin.fhir.example.org',
    })
  }
  if (port === 0) {
    reader.complain(at, 'a port that nobody could know', { fix: 'choose one, such as 9090' })
  } else if (port === listen.port) {
    reader.complain(at, 'the port of `server` itself', {
      fix: 'choose another port, such as 9090; or remove it: the admin API is there anyway',
    })
  } else if (sidecarPort(settings, listen) === port) {
    reader.complain(at, 'the port of `sidecar.listen`', { fix: 'choose another, such as 9090' })
  }
  if (admin.url !== undefined) checkUrl(new URL(admin.url), endsTls, settings, reader)
}

function checkUrl(url: URL, endsTls: boolean, { server }: Settings, reader: ReferenceReader): void {
  const at = ['admin', 'url'] as const
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    reader.complain(at, 'tokens would travel in the clear', { fix: 'use an https URL' })
  } else if (url.protocol === 'http:' && endsTls) {
    reader.complain(at, 'an http URL, but `server.tls` serves it', { fix: 'write https' })
  } else if (url.protocol === 'https:' && !endsTls && !server.behindTlsProxy) {
    reader.complain(at, 'an https URL, but nothing there ends TLS', {
      fix: 'write http and the address of `admin.listen`, or say `server.behindTlsProxy: true`',
    })
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    reader.complain(at, 'more than scheme, host and port', {
      fix: `write ${url.origin}: the admin API is at /admin/api below it`,
    })
  }
}

function sidecarPort(settings: Settings, listen: { host: string; port: number }) {
  const place = sidecarPlace(settings, listen)
  return place.kind === 'own' ? place.port : undefined
}
