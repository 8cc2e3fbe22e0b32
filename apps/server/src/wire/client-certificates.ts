import type { ClientCertificateSource } from '@scopegate/http'
import type { Settings } from '../config/settings.ts'
import { trustedProxies } from './apis.ts'

/** Where certificates of clients are known from, as the server is told it. */
export function clientCertificatesOf({
  clientCertificates: from,
  clientCertificateHeader: header,
  trustedProxies: listed,
}: Settings['server']): ClientCertificateSource | undefined {
  if (from === 'none') return undefined
  return from === 'tls' ? { from } : { from, header, isTrustedProxy: trustedProxies(listed) }
}
