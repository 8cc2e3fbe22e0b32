import { type LookupAddress, lookup as resolveName } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Which addresses a server-side fetch may reach. */
export interface NetworkPolicy {
  /** `http:` and loopback addresses: only while the server itself runs on loopback. */
  readonly allowLoopback: boolean
  /** Host names whose private (RFC 1918, ULA) addresses are meant to be reached; `'any'` for all. */
  readonly allowPrivateHosts: readonly string[] | 'any'
  /**
   * Hosts that the operator named as another way to an issuer: they may be on loopback or private,
   * and `plain` ones may be asked without TLS, but then only there.
   */
  readonly declaredHosts?: readonly { readonly host: string; readonly plain: boolean }[]
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

const PRIVATE = new BlockList()
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv4')
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6')

// Never reached, whatever is allowed: link-local (cloud metadata), multicast, reserved.
const FORBIDDEN = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  FORBIDDEN.addSubnet(net, prefix, 'ipv4')
}
for (const [net, prefix] of [
  ['::', 128],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  FORBIDDEN.addSubnet(net, prefix, 'ipv6')
}

/** The reason why `url` must not be fetched, before any name is resolved; `undefined` if it may. */
export function refuseUrl(url: URL, policy: NetworkPolicy): string | undefined {
  const host = bareHost(url)
  if (url.username !== '' || url.password !== '') return 'the URL holds a user name or a password'
  if (url.protocol === 'http:') {
    const isDeclared = policy.declaredHosts?.some((each) => each.plain && each.host === host)
    if (!isDeclared && (!policy.allowLoopback || !isLoopbackHost(host))) {
      return 'only https is fetched'
    }
  } else if (url.protocol !== 'https:') {
    return 'only https is fetched'
  }
  return isIP(host) === 0 ? undefined : refuseAddress(host, host, policy)
}

/** The reason why `address`, to which `host` resolved, must not be reached. */
export function refuseAddress(
  address: string,
  host: string,
  policy: NetworkPolicy,
): string | undefined {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  const declared = policy.declaredHosts?.find((each) => each.host === host)
  if (declared !== undefined) {
    if (LOOPBACK.check(plain, family) || PRIVATE.check(plain, family)) return undefined
    if (declared.plain) return `\`${host}\` is a public address: only https is fetched there`
  }
  if (LOOPBACK.check(plain, family)) {
    return policy.allowLoopback ? undefined : `\`${host}\` is a loopback address`
  }
  if (FORBIDDEN.check(plain, family)) return `\`${host}\` is a link-local or reserved address`
  if (!PRIVATE.check(plain, family)) return undefined
  if (policy.allowPrivateHosts === 'any' || policy.allowPrivateHosts.includes(host)) {
    return undefined
  }
  return `\`${host}\` is a private address: list the host under the allowed private hosts if it is meant`
}

/**
 * A `lookup` for `node:https` that judges what the name resolves to in the same step that
 * connects, so that a name cannot point elsewhere a moment later (DNS rebinding).
 */
export function guardedLookup(policy: NetworkPolicy): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0)
      for (const { address } of addresses) {
        const reason = refuseAddress(address, hostname, policy)
        if (reason !== undefined) return callback(new Error(reason), '', 0)
      }
      const [first] = addresses as [LookupAddress, ...LookupAddress[]]
      if (options.all) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
  }
}

/** Host name without the brackets of an IPv6 literal. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** `localhost`, 127.0.0.0/8 and ::1. */
export function isLoopbackHost(host: string): boolean {
  const family = isIP(host)
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost')
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
