import { isLoopback } from '@scopegate/http'

/** A listener beside the main one, and who can reach it. */
export interface OwnListener {
  readonly host: string
  readonly port: number
  readonly reach: 'loopback' | 'network'
}

/** @param listen `host:port`; an IPv6 address in brackets */
export function ownListener(listen: string | undefined): OwnListener | undefined {
  const [, written, port] = /^(.*):(\d+)$/.exec(listen ?? '') ?? []
  if (!written || !port) return undefined
  const host = written.replaceAll(/[[\]]/g, '')
  return { host, port: Number(port), reach: isLoopback(host) ? 'loopback' : 'network' }
}
