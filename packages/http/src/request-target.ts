export type CheckedTarget =
  /** `authority`: of an absolute form, as it was sent. */
  | { readonly ok: true; readonly originForm: string; readonly authority?: string }
  | { readonly ok: false; readonly problem: string }

const ABSOLUTE = /^https?:\/\/[^/?#]*/i
// Some servers cut `;…` off a segment before they look whether it is one.
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:(?:;|%3b)[^/]*)?(?:\/|$)/i

/**
 * Makes the request target one that everybody reads alike: origin form (`/path?query`), the
 * authority of an absolute form dropped. Refused in the path: dot segments (also percent-encoded),
 * `//`, backslashes, encoded slashes and backslashes, broken percent sequences, control characters,
 * what is encoded twice, bytes that are not UTF-8, fragments. What needs no encoding is decoded, so
 * that `/%61dmin` is `/admin` for whoever routes and for whoever answers.
 * @see RFC 9112 §3.2
 */
export function checkRequestTarget(target: string): CheckedTarget {
  let originForm = target
  let named: { authority?: string } = {}
  if (!target.startsWith('/')) {
    const authority = ABSOLUTE.exec(target)?.[0]
    if (authority === undefined) return { ok: false, problem: 'the request target is not a path' }
    named = { authority: authority.slice(authority.indexOf('//') + 2) }
    originForm = target.slice(authority.length)
    if (!originForm.startsWith('/')) originForm = `/${originForm}`
  }
  const query = originForm.indexOf('?')
  const path = query === -1 ? originForm : originForm.slice(0, query)
  if (originForm.includes('#')) return { ok: false, problem: 'the request target holds a fragment' }
  const problem = pathProblem(path)
  if (problem !== undefined) return { ok: false, problem }
  if (!path.includes('%')) return { ok: true, originForm, ...named }
  const canonical = canonicalPath(path)
  // What was decoded may stand beside a percent sign that was encoded itself.
  const hidden = pathProblem(canonical)
  if (hidden !== undefined) return { ok: false, problem: hidden }
  return { ok: true, originForm: canonical + originForm.slice(path.length), ...named }
}

/** What is wrong with a raw (still encoded) path, or `undefined`. */
export function pathProblem(path: string): string | undefined {
  for (let i = 0; i < path.length; i += 1) {
    const code = path.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x23) {
      return 'the path holds a character that may not stand there'
    }
  }
  if (path.includes('//')) return 'the path holds an empty segment (`//`)'
  if (path.includes('/.') || path.includes('%')) {
    if (DOT_SEGMENT.test(path)) return 'the path holds a dot segment'
    if (/%(?:2f|5c)/i.test(path)) return 'the path holds an encoded separator'
    if (/%(?:[01][0-9a-f]|7f)/i.test(path)) return 'the path holds an encoded control character'
    if (/%(?![0-9a-f]{2})/i.test(path)) return 'the path holds a broken percent sequence'
    if (/%25[0-9a-f]{2}/i.test(path)) return 'the path is percent-encoded twice'
    if (!isUtf8(path)) return 'the path holds bytes that are not UTF-8'
  }
  return undefined
}

/** Percent sequences in capitals, and none for what may stand there itself. @see RFC 3986 §6.2.2 */
function canonicalPath(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (sequence) => {
    const character = String.fromCharCode(Number.parseInt(sequence.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : sequence.toUpperCase()
  })
}

/** Overlong sequences, which some decoders take for a slash or a dot, are not UTF-8. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
