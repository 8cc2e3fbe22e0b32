import type { IndexValue, TokenIndexValue } from './index-value.ts'
import { type Found, isMembers, list, textOf } from './members.ts'
import { CURRENCIES } from './quantity-values.ts'

function token(system: string | undefined, code: string | undefined): TokenIndexValue | undefined {
  if (system === undefined) return code === undefined ? undefined : { kind: 'token', code }
  return code === undefined ? { kind: 'token', system } : { kind: 'token', system, code }
}

export function tokenCode(value: unknown, found: Found, impliedSystem?: string): void {
  const code = textOf(value)
  if (code === undefined) return
  found.push(
    impliedSystem === undefined ? { kind: 'token', code } : { kind: 'token', impliedSystem, code },
  )
}

export function tokenText(value: unknown, found: Found): void {
  const code = textOf(value)
  if (code !== undefined) found.push({ kind: 'token', code })
}

export function tokenBoolean(value: unknown, found: Found): void {
  if (typeof value === 'boolean') found.push({ kind: 'token', code: value ? 'true' : 'false' })
}

export function tokenCoding(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  const one = token(textOf(value.system), textOf(value.code))
  if (one !== undefined) found.push(one)
}

export function tokenConcept(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  for (const coding of list(value.coding)) tokenCoding(coding, found)
}

export function tokenIdentifier(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  const one = token(textOf(value.system), textOf(value.value))
  if (one === undefined) return
  const type = value.type
  if (type === undefined) {
    found.push(one)
    return
  }
  const codings: IndexValue[] = []
  tokenConcept(type, codings)
  const types = (codings as TokenIndexValue[]).map(({ kind: _, ...coding }) => coding)
  found.push(types.length === 0 ? one : { ...one, types })
}

/**
 * The system of a ContactPoint (`phone`) is no code system and is not searched. Nobody tells mail
 * addresses apart by case, and R4 has case ignored where in doubt.
 */
export function tokenContact(value: unknown, found: Found): void {
  const code = isMembers(value) ? textOf(value.value) : undefined
  if (code !== undefined) found.push({ kind: 'token', code, ignoresCase: true })
}

export function tokenCurrency(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  const code = textOf(value.currency)
  if (code !== undefined) found.push({ kind: 'token', system: CURRENCIES, code })
}

export function tokenExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  tokenConcept(value.valueCodeableConcept, found)
  tokenCoding(value.valueCoding, found)
  tokenIdentifier(value.valueIdentifier, found)
  tokenBoolean(value.valueBoolean, found)
  for (const name of TOKEN_TEXTS) tokenText(value[name], found)
}
const TOKEN_TEXTS = ['valueCode', 'valueString', 'valueId', 'valueUri', 'valueOid', 'valueUuid']
