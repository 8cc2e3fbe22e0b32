import { searchDateRange } from '../extract/date-range.ts'
import type { Modifier, Prefix, SearchValue } from '../query.ts'
import { type DecimalRange, parseApproximateRange, parseDecimalRange } from './decimal-range.ts'
import { splitUnescaped, unescapeValue } from './escapes.ts'
import { parseReferenceValue } from './parse-reference-value.ts'
import { type Fault, invalid, isFault, quoted } from './search-problem.ts'
import type { ValueContext, ValueShape } from './value-shape.ts'

/**
 * Reads one alternative (no unescaped comma) of a parameter. `namedType` is the type of
 * `subject:Patient=…`.
 */
export function parseValue(
  shape: ValueShape,
  modifier: Modifier | undefined,
  namedType: string | undefined,
  text: string,
  context: ValueContext,
): SearchValue | Fault {
  if (modifier === 'missing') return parseMissing(text)
  if (modifier === 'of-type') return parseOfType(text)
  if (modifier === 'identifier') return parseIdentifier(text)
  switch (shape.type) {
    case 'token':
      return parseToken(shape, text)
    case 'reference':
      return parseReferenceValue(shape, namedType, text, context)
    case 'string':
      return { kind: 'string', text: unescapeValue(text) }
    case 'uri':
      return parseUri(modifier, text)
    case 'date':
      return parseDate(text, context)
    case 'number':
      return parseNumber(text)
    case 'quantity':
      return parseQuantity(text)
    case 'composite':
      return parseComposite(shape, text, context)
    case 'special':
      return { kind: 'not-supported', why: 'it is a special parameter', fix: 'leave it out' }
  }
}

function parseMissing(text: string): SearchValue | Fault {
  if (text === 'true' || text === 'false') return { kind: 'missing', missing: text === 'true' }
  return invalid(`\`:missing\` takes true or false, not ${quoted(text)}`, 'write `true` or `false`')
}

function parseToken(shape: ValueShape, text: string): SearchValue | Fault {
  const parts = splitUnescaped(text, '|').map(unescapeValue)
  if (parts.length > 2 || (parts.length === 2 && parts[0] === '' && parts[1] === '')) {
    return invalid(
      `${quoted(text)} is not a token`,
      'write `code`, `system|code`, `|code` or `system|`; a `|` inside a code is written `\\|`',
    )
  }
  if (parts.length === 2) {
    return parts[1] === ''
      ? { kind: 'token', system: parts[0]! }
      : { kind: 'token', system: parts[0]!, code: parts[1]! }
  }
  const code = parts[0]!
  if (shape.elementTypes.length > 0 && shape.elementTypes.every((type) => type === 'boolean')) {
    if (code !== 'true' && code !== 'false') {
      return invalid(`${quoted(text)} is not a boolean`, 'write `true` or `false`')
    }
  }
  return { kind: 'token', code }
}

function parseOfType(text: string): SearchValue | Fault {
  const parts = splitUnescaped(text, '|').map(unescapeValue)
  if (parts.length !== 3 || parts.includes('')) {
    return invalid(
      `${quoted(text)} is not a typed identifier`,
      'write `system|code|value`: the system and code of Identifier.type, then the value',
    )
  }
  return { kind: 'of-type', system: parts[0]!, code: parts[1]!, value: parts[2]! }
}

function parseIdentifier(text: string): SearchValue | Fault {
  const parts = splitUnescaped(text, '|').map(unescapeValue)
  if (parts.length > 2 || parts.every((part) => part === '')) {
    return invalid(`${quoted(text)} is not an identifier`, 'write `system|value` or `value`')
  }
  if (parts.length === 1) return { kind: 'identifier', value: parts[0]! }
  return parts[1] === ''
    ? { kind: 'identifier', system: parts[0]! }
    : { kind: 'identifier', system: parts[0]!, value: parts[1]! }
}

function parseUri(modifier: Modifier | undefined, text: string): SearchValue | Fault {
  const uri = unescapeValue(text)
  if ((modifier === 'below' || modifier === 'above') && /^urn:/i.test(uri)) {
    return invalid(
      `\`:${modifier}\` follows the path of a URL, and ${quoted(uri)} is a URN`,
      'search for the URN without a modifier',
    )
  }
  if (modifier === 'above' && uri.length > MAX_ABOVE_LENGTH) {
    return invalid(`the URL is longer than ${MAX_ABOVE_LENGTH} characters`, 'shorten it')
  }
  return { kind: 'uri', uri }
}
/** `:above` looks for every shorter path of the URL. */
const MAX_ABOVE_LENGTH = 1000

function parseDate(text: string, context: ValueContext): SearchValue | Fault {
  const [prefix, rest] = splitPrefix(text)
  // A `+` that was not percent-encoded arrives as a space.
  const range = rest.length > 48 ? undefined : searchDateRange(rest.replace(/ (\d\d:\d\d)$/, '+$1'))
  if (range === undefined) {
    return invalid(
      `${quoted(text)} is not a date`,
      'write an optional prefix (eq ne gt lt ge le sa eb ap) and YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone, as in `ge2024-02-10`',
    )
  }
  if (prefix !== 'ap') return { kind: 'date', prefix, fromMs: range.fromMs, toMs: range.toMs }
  const gapMs = Math.round(Math.abs(context.nowMs - range.fromMs) / 10)
  return { kind: 'date', prefix, fromMs: range.fromMs - gapMs, toMs: range.toMs + gapMs }
}

function parseNumber(text: string): SearchValue | Fault {
  const [prefix, rest] = splitPrefix(text)
  const range = prefixedRange(prefix, rest)
  return range === undefined
    ? invalid(
        `${quoted(text)} is not a number`,
        'write an optional prefix and a decimal, as in `gt0.8`',
      )
    : { kind: 'number', prefix, ...range }
}

function parseQuantity(text: string): SearchValue | Fault {
  const parts = splitUnescaped(text, '|').map(unescapeValue)
  const [prefix, rest] = splitPrefix(parts[0]!)
  const range = prefixedRange(prefix, rest)
  if (range === undefined || parts.length === 2 || parts.length > 3) {
    return invalid(
      `${quoted(text)} is not a quantity`,
      'write `number`, `number|system|code` or `number||code`, as in `lt5.4|http://unitsofmeasure.org|mg`',
    )
  }
  return {
    kind: 'quantity',
    prefix,
    ...range,
    ...(parts[1] && { system: parts[1] }),
    ...(parts[2] && { code: parts[2] }),
  }
}

/** `ap` is never narrower than the written precision. */
function prefixedRange(prefix: Prefix, text: string): DecimalRange | undefined {
  const exact = parseDecimalRange(text)
  const near = prefix === 'ap' ? parseApproximateRange(text) : undefined
  if (exact === undefined || near === undefined) return exact
  return {
    value: exact.value,
    low: Math.min(exact.low, near.low),
    high: Math.max(exact.high, near.high),
  }
}

function splitPrefix(text: string): [Prefix, string] {
  const match = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[\d-])/.exec(text)
  return match === null ? ['eq', text] : [match[1] as Prefix, text.slice(2)]
}

function parseComposite(
  shape: ValueShape,
  text: string,
  context: ValueContext,
): SearchValue | Fault {
  const components = shape.components ?? []
  const texts = splitUnescaped(text, '$')
  if (texts.length !== components.length || texts.includes('')) {
    return invalid(
      `${quoted(text)} has ${texts.length === 1 ? 'one part' : `${texts.length} parts`} where ${components.length} are needed`,
      `write ${components.map((component) => component.type).join('$')}, the parts joined by \`$\``,
    )
  }
  const parts: SearchValue[] = []
  for (const [i, component] of components.entries()) {
    const part = parseValue(component, undefined, undefined, texts[i]!, context)
    if (isFault(part)) return part
    parts.push(part)
  }
  return { kind: 'composite', parts }
}
