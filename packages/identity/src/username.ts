const MAX_CHARACTERS = 100

/** `key` is what user names are compared by. */
export type ParsedUsername =
  | { readonly ok: true; readonly username: string; readonly key: string }
  | { readonly ok: false; readonly why: string }

/**
 * A user name: 1 to 100 visible characters of any script without blanks, NFKC-normalised. Two names
 * that differ in case or width only are the same.
 *
 * @see RFC 8265 §3.3 UsernameCaseMapped, in spirit
 */
export function parseUsername(text: string): ParsedUsername {
  // Before normalisation, which may make text longer: nobody gets work done by length.
  if (text.length > 4 * MAX_CHARACTERS)
    return { ok: false, why: 'it is longer than 100 characters' }
  const username = text.trim().normalize('NFKC')
  if (username === '') return { ok: false, why: 'it is empty' }
  if ([...username].length > MAX_CHARACTERS) {
    return { ok: false, why: 'it is longer than 100 characters' }
  }
  if (/[\p{C}\p{Z}]/u.test(username)) {
    return { ok: false, why: 'it holds a blank or an invisible character' }
  }
  if (username.startsWith('u_')) return { ok: false, why: 'names that begin with `u_` are ids' }
  // Up and down again: some letters have two small forms, or a large one of two letters.
  const key = username.toUpperCase().toLowerCase().normalize('NFKC')
  return { ok: true, username, key }
}
