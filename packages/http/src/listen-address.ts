import { isIPv6 } from 'node:net'

/** Whether `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (bare === 'localhost' || bare === '::1') return true
  if (isIPv6(bare)) return /^::ffff:127\./i.test(bare)
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare)
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** This process terminates TLS itself. */
  readonly tls: boolean
  /** A declared proxy terminates TLS in front of it. */
  readonly behindTlsProxy: boolean
}

/**
 * Why listening there is refused, or `undefined`: tokens and patient data never travel in the
 * clear beyond the machine.
 */
export function refuseListenAddress(address: ListenAddress): string | undefined {
  if (address.tls || address.behindTlsProxy || isLoopback(address.host)) return undefined
  return (
    `plain HTTP on ${address.host}:${address.port} is refused: it is not loopback. ` +
    'Configure server.tls with a certificate, or declare the proxy that terminates TLS ' +
    '(server.behindTlsProxy: true), or listen on 127.0.0.1'
  )
}
