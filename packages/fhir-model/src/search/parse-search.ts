import type { Filter, SearchQuery } from '../query.ts'
import { baseName, parseFilter, UNSUPPORTED_PARAMETERS } from './parse-filter.ts'
import { parseInclude } from './parse-include.ts'
import { type ParseState, startParse } from './parse-state.ts'
import {
  parseResultParameter,
  RESULT_PARAMETERS,
  type ResultParameters,
} from './result-parameters.ts'
import { SEARCH_LIMITS, type SearchLimits } from './search-limits.ts'
import { type Fault, invalid, isFault, quoted, type SearchProblem } from './search-problem.ts'

export interface SearchOptions {
  /** `Prefer: handling=strict`: an unknown parameter is a problem instead of ignored. */
  readonly strict?: boolean
  /** Page size when the client asks for none. */
  readonly defaultCount: number
  /** Larger page sizes are cut to this one. */
  readonly maxCount: number
  /** What `_total` means when it is absent. */
  readonly defaultTotal?: SearchQuery['total']
  /** The endpoint's own base URL, without a final slash: references below it are local. */
  readonly baseUrl?: string
  /** Epoch milliseconds, for the `ap` prefix on dates. */
  readonly nowMs: number
  /** The parameter that carries the caller's cursor; it is skipped here. */
  readonly cursorParameter?: string
  readonly limits?: SearchLimits
}

export type ParsedSearch =
  | {
      readonly ok: true
      readonly query: SearchQuery
      /** Names that had no effect: unknown in a lenient search, or without a value. */
      readonly ignored: readonly string[]
    }
  | {
      readonly ok: false
      /** Never empty. */
      readonly problems: readonly SearchProblem[]
      /**
       * Names of parameters that are part of FHIR search and not of this server: under a
       * constrained token they are refused as a matter of access, else as a bad request.
       */
      readonly unsupported: readonly string[]
    }

/**
 * Reads the decoded parameters of a search on `type` (a known resource type). All problems are
 * reported at once. Never throws, whatever the text; time is linear in its length within
 * `limits`. Who may search for what is not judged here: see `restrictTargets`.
 *
 * @see https://hl7.org/fhir/R4/search.html
 */
export function parseSearch(
  type: string,
  params: Iterable<readonly [name: string, value: string]>,
  options: SearchOptions,
): ParsedSearch {
  const limits = options.limits ?? SEARCH_LIMITS
  const state = startParse(limits, options.baseUrl, options.nowMs)
  const problems: SearchProblem[] = []
  const unsupported: string[] = []
  const ignored: string[] = []
  const used: [string, string][] = []
  const filters: Filter[] = []
  const result: ResultParameters = { includes: [], revincludes: [] }

  let seen = 0
  for (const [name, value] of params) {
    seen += 1
    if (seen > limits.parameters) {
      problems.push({
        ...invalid(
          `the search has more than ${limits.parameters} parameters`,
          'search in several steps',
        ),
        param: quoted(name).slice(1, -1),
        value: '',
      })
      break
    }
    if (name === options.cursorParameter) continue
    const answer = overlong(name, value, limits) ?? readParameter(type, name, value, state, result)
    if (answer === undefined) {
      ignored.push(name)
    } else if (answer !== 'result' && isFault(answer)) {
      if (answer.kind === 'unknown-parameter' && options.strict !== true) {
        ignored.push(name)
        continue
      }
      if (answer.kind === 'not-supported') unsupported.push(baseName(name))
      problems.push({
        ...answer,
        param: quoted(name).slice(1, -1),
        value: quoted(value).slice(1, -1),
      })
    } else {
      if (answer !== 'result') filters.push(answer)
      used.push([name, value])
    }
  }
  if (problems.length > 0) return { ok: false, problems, unsupported }
  return {
    ok: true,
    query: {
      type,
      filters,
      sort: result.sort ?? [],
      count: Math.min(result.count ?? options.defaultCount, options.maxCount),
      total: result.total ?? options.defaultTotal ?? 'accurate',
      summary: result.summary ?? 'false',
      elements: result.elements ?? [],
      includes: result.includes,
      revincludes: result.revincludes,
      used,
    },
    ignored,
  }
}

/** A filter; `'result'` for what only shapes the answer; `undefined` for what is empty. */
function readParameter(
  type: string,
  name: string,
  value: string,
  state: ParseState,
  result: ResultParameters,
): Filter | 'result' | Fault | undefined {
  if (value.trim() === '') return undefined
  const base = baseName(name)
  if (base === '_include' || base === '_revinclude') {
    const suffix = name.slice(base.length)
    if (suffix !== '' && suffix !== ':iterate') {
      return invalid(
        `the modifier ${quoted(suffix)} is not supported on \`${base}\``,
        `write \`${base}\` or \`${base}:iterate\``,
      )
    }
    const include = parseInclude(type, base, suffix !== '', value)
    if (isFault(include)) return include
    ;(base === '_include' ? result.includes : result.revincludes).push(include)
    return 'result'
  }
  if (RESULT_PARAMETERS.has(base)) {
    if (name !== base) {
      return invalid(`\`${base}\` takes no modifier`, `write \`${base}=…\``)
    }
    return parseResultParameter(type, base, value, result) ?? 'result'
  }
  if (UNSUPPORTED_PARAMETERS.has(base)) {
    return {
      kind: 'not-supported',
      why: `this server does not support ${quoted(base)}`,
      fix: 'leave it out, or search by other parameters',
    }
  }
  return parseFilter(type, name, value, state)
}

function overlong(name: string, value: string, limits: SearchLimits): Fault | undefined {
  if (name.length > limits.nameLength) {
    return invalid(
      `the parameter name is longer than ${limits.nameLength} characters`,
      'shorten it',
    )
  }
  if (value.length > limits.valueLength) {
    return invalid(
      `the value is longer than ${limits.valueLength} characters`,
      'search in several steps',
    )
  }
  return undefined
}
