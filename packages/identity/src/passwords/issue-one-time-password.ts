import { randomInt } from 'node:crypto'

/** Without characters that look alike. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'

/** It lies in a mail or on a note until then. @see OWASP ASVS 5.0, 6.4.1 */
export const ONE_TIME_PASSWORD_SECONDS = 7 * 86_400

/** A password to be used once: 20 characters in groups of five, 99 bits. */
export function issueOneTimePassword(): string {
  const group = () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return Array.from({ length: 4 }, group).join('-')
}
