import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

/** Names and addresses a certificate is for: lower case, each once. */
export interface CertificateNames {
  readonly dns: readonly string[]
  readonly ip: readonly string[]
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`)

/** What every local certificate is for. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'] as const

/**
 * One name as certificates hold it; `undefined` for what is no host name and no IP address. A
 * wildcard is none: it would let the certificate speak for machines nobody named.
 */
export function normalizeName(name: string): string | undefined {
  const bare = /^\[.*\]$/.test(name) ? name.slice(1, -1) : name
  const version = isIP(bare)
  if (version === 4) return bare
  // The URL parser writes the one form that RFC 5952 asks for.
  if (version === 6) return URL.parse(`http://[${bare}]/`)?.hostname.slice(1, -1)
  const ascii = domainToASCII(bare.replace(/\.$/, '')).toLowerCase()
  return HOST.test(ascii) && !/^[\d.]+$/.test(ascii) ? ascii : undefined
}

/** Loopback and the given names. @throws {RangeError} naming the one that is no name */
export function certificateNames(names: readonly string[]): CertificateNames {
  const all = [...LOOPBACK_NAMES, ...names].map((name) => {
    const known = normalizeName(name)
    if (known !== undefined) return known
    throw new RangeError(`\`${name}\` is no host name and no IP address`)
  })
  const distinct = [...new Set(all)]
  return {
    dns: distinct.filter((name) => isIP(name) === 0),
    ip: distinct.filter((name) => isIP(name) !== 0),
  }
}
