import { createHash, randomInt } from 'node:crypto'

/** Without characters that look alike. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const COUNT = 10

/** Ten codes of 79 random bits, as they are written down: `xxxx-xxxx-xxxx-xxxx`. */
export function issueRecoveryCodes(): string[] {
  const group = () => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return Array.from({ length: COUNT }, () => Array.from({ length: 4 }, group).join('-'))
}

/** How a code is stored: it is random, so a hash without stretching is enough. Typed in any way. */
export function hashRecoveryCode(userId: string, code: string): Buffer {
  const plain = code
    .slice(0, 64)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
  return createHash('sha256').update(`recovery code\0${userId}\0${plain}`).digest()
}
