import { parseAccept } from '@scopegate/http'
import type { Call } from './call.ts'

/** How the caller wants its answer. */
export interface Wishes {
  readonly pretty: boolean
  /** `default`: nothing was said; a write alone answers with the resource, an entry without. */
  readonly return: 'default' | 'representation' | 'minimal' | 'OperationOutcome'
  readonly handling: 'lenient' | 'strict'
  readonly summary: Summary
  /** Top-level elements to keep; empty for all. */
  readonly elements: readonly string[]
}

export const SUMMARIES = ['false', 'true', 'text', 'data', 'count'] as const
export type Summary = (typeof SUMMARIES)[number]

export type Negotiated =
  | { readonly ok: true; readonly wishes: Wishes }
  | { readonly ok: false; readonly status: 400 | 406; readonly why: string; readonly fix: string }

const DEFAULT: Negotiated = {
  ok: true,
  wishes: {
    pretty: false,
    return: 'default',
    handling: 'lenient',
    summary: 'false',
    elements: [],
  },
}

const JSON_NAMES = new Set([
  'json',
  'application/fhir+json',
  'application/json',
  'text/json',
  '*/*',
  'application/*',
])

/** Parameters that shape the answer and take no part in a search. */
export const FORMAT_PARAMETERS: ReadonlySet<string> = new Set(['_format', '_pretty', 'fhirVersion'])

/**
 * Reads `Accept`, `_format` (which wins), `fhirVersion`, `_pretty`, `Prefer`, `_summary` and
 * `_elements`. `_summary` and `_elements` of a search are read with the search.
 * @see https://hl7.org/fhir/R4/http.html#general
 */
export function negotiate(call: Call): Negotiated {
  const accept = call.header('accept')
  const prefer = call.header('prefer')
  if (call.query.length === 0 && prefer === undefined && isJson(accept)) return DEFAULT

  let format: string | undefined
  let pretty = false
  let summary: Summary = 'false'
  let elements: readonly string[] = []
  for (const [name, value] of call.query) {
    if (name === '_format') format = value
    else if (name === '_pretty') {
      if (value !== 'true' && value !== 'false') {
        return refuse(400, `\`_pretty\` is ${quoted(value)}`, 'write `_pretty=true`')
      }
      pretty = value === 'true'
    } else if (name === 'fhirVersion') {
      if (!isR4(value)) return wrongVersion(value)
    } else if (name === '_summary') {
      if (!(SUMMARIES as readonly string[]).includes(value)) {
        return refuse(400, `\`_summary\` is ${quoted(value)}`, `use one of ${SUMMARIES.join(', ')}`)
      }
      summary = value as Summary
    } else if (name === '_elements') {
      elements = value
        .split(',')
        .map((element) => element.trim())
        .filter((element) => element !== '')
    }
  }
  if (format !== undefined) {
    // An unescaped `+` has become a space on the way.
    const name = format.split(';')[0]!.trim().toLowerCase().replace('fhir json', 'fhir+json')
    if (!JSON_NAMES.has(name)) return notAcceptable(format)
    const version = /;\s*fhirVersion=([^;]+)/i.exec(format)?.[1]
    if (version !== undefined && !isR4(version)) return wrongVersion(version)
  } else {
    const refusal = checkAccept(accept)
    if (refusal !== undefined) return refusal
  }
  return { ok: true, wishes: { pretty, summary, elements, ...preferences(prefer) } }
}

function checkAccept(accept: string | undefined): Negotiated | undefined {
  if (isJson(accept)) return undefined
  const json = parseAccept(accept!).find(({ type, quality }) => quality > 0 && JSON_NAMES.has(type))
  if (json === undefined) return notAcceptable(accept!)
  const version = json.parameters.get('fhirversion')
  return version === undefined || isR4(version) ? undefined : wrongVersion(version)
}

function isJson(accept: string | undefined): boolean {
  return (
    accept === undefined ||
    accept === '*/*' ||
    accept === 'application/fhir+json' ||
    accept === 'application/json'
  )
}

export function isR4(version: string): boolean {
  return version === '4.0' || /^4\.0\.[0-9]$/.test(version)
}

/** @see RFC 7240 §2 */
function preferences(prefer: string | undefined): Pick<Wishes, 'return' | 'handling'> {
  let asked: Wishes['return'] = 'default'
  let handling: Wishes['handling'] = 'lenient'
  for (const part of (prefer ?? '').split(/[,;]/)) {
    const [name, value] = part.split('=', 2).map((text) => text.trim().replaceAll('"', ''))
    // Of a preference that is given twice, the first one counts.
    if (name === 'return') {
      if (value === 'minimal' || value === 'representation' || value === 'OperationOutcome')
        asked = value
    } else if (name === 'handling' && value === 'strict') handling = 'strict'
  }
  return { return: asked, handling }
}

function notAcceptable(got: string): Negotiated {
  return refuse(
    406,
    `the answer is not available as ${quoted(got)}`,
    'ask for application/fhir+json',
  )
}

function wrongVersion(got: string): Negotiated {
  return refuse(
    406,
    `FHIR version ${quoted(got)} is not offered here`,
    'this endpoint speaks FHIR 4.0',
  )
}

function refuse(status: 400 | 406, why: string, fix: string): Negotiated {
  return { ok: false, status, why, fix }
}

function quoted(text: string): string {
  return `\`${text.slice(0, 80)}\``
}
