import * as asn1 from 'asn1js'

/** One element of BER or DER, read loosely: files of Windows and Java are not always DER. */
export interface Element {
  /** `universal 16`, `context 0` … */
  readonly tag: string
  readonly items: readonly Element[]
  /** Content octets of a primitive; the joined parts of a constructed string. */
  readonly octets: Uint8Array
  /** The whole element, with tag and length. */
  readonly raw: Uint8Array
  /** Of an object identifier, dotted. */
  readonly oid?: string
}

const CLASSES: Readonly<Record<number, string>> = { 1: 'universal', 2: 'application', 3: 'context' }

/** @throws {TypeError} if the bytes are not one element */
export function readElement(bytes: Uint8Array): Element {
  const { offset, result } = asn1.fromBER(bytes)
  if (offset === -1) throw new TypeError('not BER')
  return elementOf(result)
}

function elementOf(block: asn1.BaseBlock): Element {
  const { tagClass, tagNumber } = block.idBlock
  // The library looks for elements in octet strings as well; here their content is meant.
  const isString = block instanceof asn1.OctetString
  const value = isString ? [] : (block.valueBlock as { value?: unknown }).value
  const items = Array.isArray(value)
    ? value.filter((one) => one instanceof asn1.BaseBlock).map(elementOf)
    : []
  return {
    tag: `${CLASSES[tagClass] ?? 'other'} ${tagNumber}`,
    items,
    octets: items.length > 0 ? Buffer.concat(items.map(({ octets }) => octets)) : contentOf(block),
    raw: block.valueBeforeDecodeView,
    ...(block instanceof asn1.ObjectIdentifier ? { oid: block.valueBlock.toString() } : {}),
  }
}

function contentOf(block: asn1.BaseBlock): Uint8Array {
  if (block instanceof asn1.OctetString) return new Uint8Array(block.getValue())
  const { valueHexView } = block.valueBlock as { valueHexView?: Uint8Array }
  return valueHexView ?? new Uint8Array(0)
}

/** @throws {TypeError} if it is not there */
export function item(element: Element | undefined, index: number): Element {
  const found = element?.items[index]
  if (found === undefined) throw new TypeError('an element is missing')
  return found
}

/** A small, non-negative INTEGER. @throws {TypeError} */
export function integer(element: Element): number {
  const { tag, octets } = element
  if (tag !== 'universal 2' || octets.length === 0 || octets.length > 6 || octets[0]! > 127) {
    throw new TypeError('not a small integer')
  }
  return octets.reduce((sum, octet) => sum * 256 + octet, 0)
}
