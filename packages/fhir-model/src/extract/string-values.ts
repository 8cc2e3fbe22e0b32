import { foldString } from './fold-string.ts'
import { type Found, isMembers, list, textOf } from './members.ts'

export function stringText(value: unknown, found: Found): void {
  const exact = textOf(value)
  if (exact !== undefined) found.push({ kind: 'string', folded: foldString(exact), exact })
}

export function stringName(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  stringText(value.text, found)
  stringText(value.family, found)
  for (const part of list(value.given)) stringText(part, found)
  for (const part of list(value.prefix)) stringText(part, found)
  for (const part of list(value.suffix)) stringText(part, found)
}

export function stringAddress(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  stringText(value.text, found)
  for (const line of list(value.line)) stringText(line, found)
  for (const name of ADDRESS_PARTS) stringText(value[name], found)
}
const ADDRESS_PARTS = ['city', 'district', 'state', 'postalCode', 'country']

export function stringExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  for (const name of STRING_VALUES) stringText(value[name], found)
  stringName(value.valueHumanName, found)
  stringAddress(value.valueAddress, found)
}
const STRING_VALUES = ['valueString', 'valueMarkdown', 'valueCode']
