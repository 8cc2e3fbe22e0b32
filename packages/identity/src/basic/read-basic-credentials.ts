const MAX_CHARACTERS = 8192
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * User name and password of what follows `Basic `; `undefined` when it is not base64 of both in
 * UTF-8, or holds a control character.
 *
 * @see RFC 7617 §2
 */
export function readBasicCredentials(
  credentials: string,
): { readonly username: string; readonly password: string } | undefined {
  if (credentials.length > MAX_CHARACTERS || !/^[A-Za-z0-9+/]+={0,2}$/.test(credentials)) {
    return undefined
  }
  let text: string
  try {
    text = UTF8.decode(Buffer.from(credentials, 'base64'))
  } catch {
    return undefined
  }
  const colon = text.indexOf(':')
  if (colon < 1 || /\p{Cc}/u.test(text)) return undefined
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
