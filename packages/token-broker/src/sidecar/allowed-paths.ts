/** Which paths below an upstream may be reached. */
export interface AllowedPaths {
  /** As written; empty: all. */
  readonly written: readonly string[]
  /** @param path canonical, as `checkRequestTarget` gives it, beginning with a slash */
  allows(path: string): boolean
}

type Matcher = (path: string) => boolean

/**
 * `/metadata` is that path only; `/Patient/*` is `/Patient` and everything below it; `{id}` stands
 * for one segment. Letters count as they are written. Without any, everything is allowed.
 */
export function allowPaths(written: readonly string[]): AllowedPaths {
  const matchers = written.map(matcherOf)
  return {
    written,
    allows: (path) => matchers.length === 0 || matchers.some((matches) => matches(path)),
  }
}

/** What is wrong with a pattern, or `undefined`. */
export function findPathPatternProblem(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'it does not begin with a slash'
  const segments = pattern.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    if (segment === '*' && isLast) continue
    if (/^\{[^{}]*\}$/.test(segment)) continue
    if (/[*{}?#\\\s]/.test(segment)) {
      return '`*` stands for all that follows and is the whole last segment; `{name}` is one segment'
    }
    if (segment === '' && !isLast) return 'it holds an empty segment (`//`)'
    if (segment === '.' || segment === '..') return 'it holds a dot segment'
  }
  return undefined
}

function matcherOf(pattern: string): Matcher {
  const segments = pattern.split('/').slice(1)
  const isOpen = segments.at(-1) === '*'
  const fixed = isOpen ? segments.slice(0, -1) : segments
  return (path) => {
    const parts = path.split('/').slice(1)
    // `/Patient/` is below `/Patient/*`, and is not `/Patient`.
    if (isOpen ? parts.length < fixed.length : parts.length !== fixed.length) {
      return isOpen && path === '/' && fixed.length === 0
    }
    return fixed.every((segment, index) => {
      const part = parts[index]!
      return segment.startsWith('{') ? part !== '' : segment === part
    })
  }
}
