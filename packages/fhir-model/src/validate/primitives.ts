import { storedDateRange } from '../extract/date-range.ts'
import { numberOf } from '../extract/number-of.ts'
import { xhtmlFault } from './xhtml.ts'

/** Says what is wrong with a value, or `undefined`. */
type Judge = (value: unknown) => string | undefined

const ID = /^[A-Za-z0-9\-.]{1,64}$/
const CODE = /^[^\s]+(?:\s[^\s]+)*$/
const URI = /^\S+$/
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const DATE = /^\d{4}(?:-\d\d(?:-\d\d)?)?$/
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: FHIR strings hold none but tab, CR and LF.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/
const LONGEST_STRING = 1024 * 1024
const MAX_INTEGER = 2147483647

const EMPTY = 'the string is empty: leave the element out'

function text(also: (value: string) => string | undefined): Judge {
  return (value) => {
    if (typeof value !== 'string') return 'a JSON string is expected'
    if (value === '') return EMPTY
    return CONTROL.test(value) ? 'control characters are not allowed' : also(value)
  }
}

function matches(pattern: RegExp, what: string): Judge {
  return text((value) => (pattern.test(value) ? undefined : `this is no ${what}`))
}

function plainText(value: string): string | undefined {
  return value.length > LONGEST_STRING ? 'longer than 1 MB' : undefined
}

function notNumber(value: unknown): string {
  return typeof value === 'number' ? 'the number is out of range' : 'a JSON number is expected'
}

function integer(low: number, what: string): Judge {
  return (value) => {
    const number = numberOf(value)
    if (number === undefined) return notNumber(value)
    return Number.isInteger(number) && number >= low && number <= MAX_INTEGER
      ? undefined
      : `this is no ${what}`
  }
}

const uri = text((value) => (URI.test(value) ? undefined : 'a URI holds no white space'))

const JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  [
    'boolean',
    (value) => (typeof value === 'boolean' ? undefined : '`true` or `false` is expected'),
  ],
  ['decimal', (value) => (numberOf(value) === undefined ? notNumber(value) : undefined)],
  ['integer', integer(-MAX_INTEGER - 1, 'integer of 32 bits')],
  ['unsignedInt', integer(0, 'integer from 0 to 2147483647')],
  ['positiveInt', integer(1, 'integer from 1 to 2147483647')],
  ['string', text(plainText)],
  ['markdown', text(plainText)],
  ['code', matches(CODE, 'code: no white space at the ends, single spaces inside')],
  ['id', matches(ID, 'id: 1 to 64 of the characters A-Z a-z 0-9 - .')],
  ['uri', uri],
  ['url', uri],
  ['canonical', uri],
  ['oid', matches(OID, 'OID: `urn:oid:1.2.3` is expected')],
  ['uuid', matches(UUID, 'UUID: `urn:uuid:` and 36 lower-case characters are expected')],
  [
    'date',
    text((value) =>
      DATE.test(value) && storedDateRange(value) !== undefined
        ? undefined
        : 'this is no date: YYYY, YYYY-MM or YYYY-MM-DD is expected',
    ),
  ],
  [
    'dateTime',
    text((value) =>
      storedDateRange(value) !== undefined
        ? undefined
        : 'this is no dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone is expected',
    ),
  ],
  [
    'instant',
    text((value) =>
      value.length > 19 && storedDateRange(value) !== undefined
        ? undefined
        : 'this is no instant: YYYY-MM-DDThh:mm:ss with a zone is expected',
    ),
  ],
  ['time', matches(TIME, 'time: hh:mm:ss is expected')],
  [
    'base64Binary',
    text((value) => {
      const packed = /\s/.test(value) ? value.replace(/\s+/g, '') : value
      return packed.length % 4 === 0 && BASE64.test(packed) ? undefined : 'this is no base64'
    }),
  ],
  ['xhtml', text(xhtmlFault)],
])

export function primitiveJudge(type: string): Judge | undefined {
  return JUDGES.get(type)
}
