import { createHash } from 'node:crypto'

/** From so many characters on, a secret is not found by trying. */
const STRONG_CHARACTERS = 16
const STRONG_DISTINCT = 8

/**
 * What tells two secrets apart without telling either: the start of the SHA-256 of its UTF-8, the
 * same in every process and by `printf %s "$SECRET" | sha256sum`. Eight hex digits of a long
 * secret; two of one that could be found by trying a dictionary against eight.
 */
export function fingerprintSecret(value: string): string {
  const hash = createHash('sha256').update(value).digest('hex')
  return `sha256:${hash.slice(0, isGuessable(value) ? 2 : 8)}`
}

/** Of a URL only the password is unknown to others. */
function isGuessable(value: string): boolean {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? URL.parse(value) : null
  const unknown = url === null ? value : decodeURIComponentOrNot(url.password)
  return unknown.length < STRONG_CHARACTERS || new Set(unknown).size < STRONG_DISTINCT
}

function decodeURIComponentOrNot(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
