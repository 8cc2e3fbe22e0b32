export type CheckedTarget =
  | { readonly ok: true; readonly originForm: string }
  | { readonly ok: false; readonly problem: string }

const ABSOLUTE = /^https?:\/\/[^/?#]*/i
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * Makes the request target one that everybody reads alike: origin form (`/path?query`), the
 * authority of an absolute form dropped. Refused in the path: dot segments (also percent-encoded),
 * `//`, backslashes, encoded slashes and backslashes, broken percent sequences, control characters.
 * @see RFC 9112 §3.2
 */
export function checkRequestTarget(target: string): CheckedTarget {
  let originForm = target
  if (!target.startsWith('/')) {
    const authority = ABSOLUTE.exec(target)?.[0]
    if (authority === undefined) return { ok: false, problem: 'the request target is not a path' }
    originForm = target.slice(authority.length)
    if (!originForm.startsWith('/')) originForm = `/${originForm}`
  }
  const query = originForm.indexOf('?')
  const path = query === -1 ? originForm : originForm.slice(0, query)
  const problem = pathProblem(path)
  return problem === undefined ? { ok: true, originForm } : { ok: false, problem }
}

/** What is wrong with a raw (still encoded) path, or `undefined`. */
export function pathProblem(path: string): string | undefined {
  for (let i = 0; i < path.length; i += 1) {
    const code = path.charCodeAt(i)
    if (code <= 0x20 || code === 0x7f || code === 0x5c || code === 0x23) {
      return 'the path holds a character that may not stand there'
    }
  }
  if (path.includes('//')) return 'the path holds an empty segment (`//`)'
  if (path.includes('/.') || path.includes('%')) {
    if (DOT_SEGMENT.test(path)) return 'the path holds a dot segment'
    if (/%(?:2f|5c|00)/i.test(path)) return 'the path holds an encoded separator'
    if (/%(?![0-9a-f]{2})/i.test(path)) return 'the path holds a broken percent sequence'
  }
  return undefined
}
