/** More than anybody types; less than would cost a server work. */
export const MAX_PASSWORD_BYTES = 4096

/**
 * The one form of a password, so that it is the same from every keyboard. `undefined` for what is
 * too long to be looked at.
 *
 * @see NIST SP 800-63B-3 §5.1.1.2: NFKC or NFKD before hashing
 */
export function normalizePassword(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_PASSWORD_BYTES) return undefined
  return text.normalize('NFKC')
}
