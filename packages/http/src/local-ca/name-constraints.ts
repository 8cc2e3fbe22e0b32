import { isIPv4 } from 'node:net'
import type { CertificateNames } from './names.ts'

/** The extension that keeps a stolen CA key from speaking for anything but these names. */
export const NAME_CONSTRAINTS = '2.5.29.30'

const SEQUENCE = 0x30
const PERMITTED = 0xa0
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

/**
 * NameConstraints with `permittedSubtrees`: each DNS name and what is below it, each address alone.
 * @see RFC 5280 §4.2.1.10
 */
export function encodeNameConstraints({ dns, ip }: CertificateNames): Uint8Array<ArrayBuffer> {
  const subtrees = [
    ...dns.map((name) => der(DNS_NAME, Buffer.from(name, 'latin1'))),
    ...ip.map((address) => {
      const bytes = addressBytes(address)
      return der(IP_ADDRESS, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)]))
    }),
  ].map((base) => der(SEQUENCE, base))
  return new Uint8Array(der(SEQUENCE, der(PERMITTED, Buffer.concat(subtrees))))
}

/** Whether constraints as written by {@link encodeNameConstraints} permit all of these names. */
export function permitsNames(constraints: Uint8Array, { dns, ip }: CertificateNames): boolean {
  const permitted = subtreesOf(constraints)
  const isBelow = (name: string) =>
    permitted.some(
      ({ tag, value }) =>
        tag === DNS_NAME &&
        (name === value.toString('latin1') || name.endsWith(`.${value.toString('latin1')}`)),
    )
  const isThere = (address: string) => {
    const bytes = addressBytes(address)
    return permitted.some(
      ({ tag, value }) =>
        tag === IP_ADDRESS &&
        value.length === 2 * bytes.length &&
        value.subarray(0, bytes.length).equals(bytes),
    )
  }
  return dns.every(isBelow) && ip.every(isThere)
}

interface Element {
  readonly tag: number
  readonly value: Buffer
}

function subtreesOf(constraints: Uint8Array): readonly Element[] {
  const [outer] = elements(Buffer.from(constraints))
  const [permitted] = outer === undefined ? [] : elements(outer.value)
  if (permitted?.tag !== PERMITTED) return []
  return elements(permitted.value).flatMap(({ value }) => elements(value).slice(0, 1))
}

/** The bytes of an address; of IPv6 by the text that the URL parser gives, which has no dots. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [before = '', after] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const head = groups(before)
  const tail = after === undefined ? [] : groups(after)
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return Buffer.concat(
    [...head, ...zeros, ...tail].map((group) => Buffer.from(group.padStart(4, '0'), 'hex')),
  )
}

function der(tag: number, value: Uint8Array): Buffer {
  const length =
    value.length < 0x80
      ? [value.length]
      : value.length < 0x100
        ? [0x81, value.length]
        : [0x82, value.length >> 8, value.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), value])
}

function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at]!
    const first = bytes[at + 1]!
    const extra = first < 0x80 ? 0 : first & 0x7f
    if (extra > 2 || at + 2 + extra > bytes.length) return []
    const length = extra === 0 ? first : bytes.readUIntBE(at + 2, extra)
    const start = at + 2 + extra
    if (start + length > bytes.length) return []
    found.push({ tag, value: bytes.subarray(start, start + length) })
    at = start + length
  }
  return found
}
