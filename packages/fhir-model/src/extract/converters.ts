/**
 * From one element to index values. The generated extractors call these; each takes whatever the
 * JSON holds and answers nothing for what is missing or malformed: a value that cannot be judged
 * must not match.
 */
import type { IndexValue } from './index-value.ts'
import type { Found } from './members.ts'

export { dateExtension, datePeriod, dateText, dateTiming } from './date-values.ts'
export { extensions, list } from './members.ts'
export {
  numberExtension,
  numberPlain,
  numberRange,
  quantityExtension,
  quantityMoney,
  quantityPlain,
  quantityRange,
  quantitySampled,
} from './quantity-values.ts'
export {
  leadsTo,
  referenceCanonical,
  referenceExtension,
  referenceInline,
  referencePlain,
  uriExtension,
  uriText,
} from './reference-values.ts'
export { stringAddress, stringExtension, stringName, stringText } from './string-values.ts'
export {
  tokenBoolean,
  tokenCode,
  tokenCoding,
  tokenConcept,
  tokenContact,
  tokenCurrency,
  tokenExtension,
  tokenIdentifier,
  tokenText,
} from './token-values.ts'

/** One focus of a composite; nothing when a part finds nothing there. */
export function composite(found: Found, parts: readonly (readonly IndexValue[])[]): void {
  for (const part of parts) if (part.length === 0) return
  found.push({ kind: 'composite', parts })
}
