/** The only value of a cookie; `undefined` when it is missing or comes twice, with other values. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  let found: string | undefined
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at === -1 || pair.slice(0, at).trim() !== name) continue
    const value = pair.slice(at + 1).trim()
    if (found !== undefined && found !== value) return undefined
    found = value
  }
  return found
}

/** Names of the cookies in a header that begin with `prefix`. */
export function cookieNamesWith(header: string | undefined, prefix: string): readonly string[] {
  return (header ?? '')
    .split(';')
    .map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))).trim())
    .filter((name) => name.startsWith(prefix))
}
