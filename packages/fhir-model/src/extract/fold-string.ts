const ASCII = /^[\x20-\x7e]*$/
const MARKS = /\p{M}+/gu

/**
 * The form in which strings are compared: without case, accents and other marks.
 * @see https://hl7.org/fhir/R4/search.html#string
 */
export function foldString(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  return text.normalize('NFD').replace(MARKS, '').toLowerCase().normalize('NFD').replace(MARKS, '')
}
