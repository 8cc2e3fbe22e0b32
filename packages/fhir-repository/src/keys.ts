import { hash } from 'node:crypto'

/** A hashed fact about a resource: a signed 64-bit integer as decimal text, ready for SQL. */
export type Key = string

const SEPARATOR = '\u001f'
const GENERATION_SIZE = 40_000
let young = new Map<string, Key>()
let old = new Map<string, Key>()

/**
 * The first 8 bytes of the SHA-256 of the parts. Two facts may share a key (rarely, and not by an
 * attacker's choice of a stored key): whoever finds by key compares again.
 */
export function keyOf(...parts: readonly string[]): Key {
  const text = parts.join(SEPARATOR)
  const known = young.get(text)
  if (known !== undefined) return known
  const key =
    old.get(text) ?? (hash('sha256', text, 'buffer') as Buffer).readBigInt64BE(0).toString()
  if (young.size >= GENERATION_SIZE) {
    old = young
    young = new Map()
  }
  young.set(text, key)
  return key
}

export const typeKey = (type: string): Key => keyOf('t', type)
export const presenceKey = (type: string, code: string): Key => keyOf(`${type}.${code}`, '!')

/** Any value of any parameter that refers to `type/id`. */
export const refersToKey = (type: string, id: string): Key => keyOf('ref', `${type}/${id}`)

export type CompartmentRow = 'comp' | 'guard' | 'prim'
export const compartmentKey = (row: CompartmentRow, patientId: string): Key =>
  keyOf(row, `Patient/${patientId}`)
