import { isIP } from 'node:net'

/** `localhost`, `*.localhost`, 127.0.0.0/8 and ::1. Names are not resolved. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 4) return host.startsWith('127.')
  if (isIP(host) === 6) return host === '::1'
  return host === 'localhost' || host.endsWith('.localhost')
}
