import { isIPv6, SocketAddress } from 'node:net'

/**
 * What counts as one address: an IPv4 address, or the /64 of an IPv6 address, since a single host
 * has all of it. Text that is no address is one of its own.
 */
export function addressNetwork(address: string): string {
  const plain = address.trim().replace(/%.*$/, '')
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(plain)
  if (mapped) return mapped[1] as string
  if (!isIPv6(plain)) return plain.slice(0, 64)
  // SocketAddress writes it in the one shortest form.
  const short = new SocketAddress({ address: plain, family: 'ipv6' }).address
  const [head = '', tail] = short.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return `${[...left, ...(tail === undefined ? [] : zeros), ...right].slice(0, 4).join(':')}::/64`
}
