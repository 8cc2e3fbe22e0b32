const BASE = 'http://scopegate.invalid'

/**
 * Whether `text` is a path of this server that may be followed after a sign-in: absolute, without
 * host, and read as such by every browser (no `//host`, no `/\host`, no control characters, which
 * browsers drop before they look).
 */
export function isOwnPath(text: string): boolean {
  if (text.length > 2048 || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text)) return false
  const url = URL.parse(text, BASE)
  return url !== null && url.origin === BASE && !url.pathname.startsWith('//')
}
