import { type FormPair, parseForm, pathProblem } from '@scopegate/http'

export type ParsedTarget =
  | {
      readonly ok: true
      /** Path below the base and query, as sent. */
      readonly target: string
      readonly segments: readonly string[]
      readonly query: readonly FormPair[]
    }
  | { readonly ok: false; readonly why: string }

/**
 * Reads a path relative to the base (`Observation/1?_pretty=true`): one meaning or none. A leading
 * slash and a trailing one make no difference; dot segments, empty segments, encoded separators
 * and broken percent sequences are refused.
 */
export function parseTarget(relative: string): ParsedTarget {
  const mark = relative.indexOf('?')
  const path = mark === -1 ? relative : relative.slice(0, mark)
  const problem = pathProblem(path.startsWith('/') ? path : `/${path}`)
  if (problem !== undefined) return { ok: false, why: problem }
  const segments: string[] = []
  if (path !== '' && path !== '/') {
    let from = path.charCodeAt(0) === 0x2f ? 1 : 0
    const end = path.endsWith('/') ? path.length - 1 : path.length
    while (from <= end) {
      const next = path.indexOf('/', from)
      const stop = next === -1 || next > end ? end : next
      const segment = decodeSegment(path.slice(from, stop))
      if (segment === undefined) return { ok: false, why: 'the path is not UTF-8' }
      segments.push(segment)
      from = stop + 1
    }
  }
  if (mark === -1) return { ok: true, target: relative, segments, query: [] }
  const form = parseForm(relative.slice(mark + 1))
  if (!form.ok) {
    return {
      ok: false,
      why:
        form.reason === 'too-many'
          ? `the query has more than ${form.at} parameters`
          : `the value of \`${form.at}\` is not percent-encoded UTF-8`,
    }
  }
  return { ok: true, target: relative, segments, query: form.pairs }
}

function decodeSegment(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
