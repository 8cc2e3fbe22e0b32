import { COMMON_WORDS } from './common-words.ts'
import { normalizePassword } from './normalize-password.ts'

/** Between what NIST SP 800-63B-4 §3.1.1 asks for beside a second factor (8) and alone (15). */
export const MIN_PASSWORD_CHARACTERS = 12
export const MAX_PASSWORD_CHARACTERS = 256

export type CheckedPassword =
  /** Normalised: what is to be hashed. */
  | { readonly ok: true; readonly password: string }
  | {
      readonly ok: false
      readonly reason: 'too-short' | 'too-long' | 'guessable'
      /** For the person who chose it; never with a part of it that is not in a public list. */
      readonly why: string
      readonly fix: string
    }

export interface PasswordContext {
  readonly minCharacters?: number
  /** Words an attacker tries first here: the product, the organisation, the person's names. */
  readonly words?: readonly string[]
}

/**
 * Whether a new password may be used: long enough, and not made of what everybody tries first. No
 * rule on kinds of characters and no expiry, since both lead to worse passwords.
 *
 * @see NIST SP 800-63B, memorized secrets / passwords
 */
export function checkPassword(text: string, context: PasswordContext = {}): CheckedPassword {
  const minCharacters = context.minCharacters ?? MIN_PASSWORD_CHARACTERS
  const password = normalizePassword(text)
  const characters = password === undefined ? Number.POSITIVE_INFINITY : [...password].length
  if (password === undefined || characters > MAX_PASSWORD_CHARACTERS) {
    return {
      ok: false,
      reason: 'too-long',
      why: `the password is longer than ${MAX_PASSWORD_CHARACTERS} characters`,
      fix: 'choose a shorter one',
    }
  }
  if (characters < minCharacters) {
    return {
      ok: false,
      reason: 'too-short',
      why: `the password has ${characters} characters, it needs ${minCharacters}`,
      fix: 'a few words that do not belong together are easy to remember and hard to guess',
    }
  }
  const weak = weakness(password, context.words ?? [])
  if (weak === undefined) return { ok: true, password }
  return {
    ok: false,
    reason: 'guessable',
    why: `the password would be guessed soon: ${weak}`,
    fix: 'choose a few words that do not belong together, or let a password manager make one',
  }
}

/** So many different characters, beside common words and runs, make a password of its own. */
const OWN_CHARACTERS = 5

const LONGEST_FIRST = [...COMMON_WORDS].sort((a, b) => b.length - a.length)

/** Judged as it is typed and as it is meant: `p4ssw0rd` is `password`. */
function weakness(password: string, contextWords: readonly string[]): string | undefined {
  const plain = password.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const context = contextWords.flatMap(partsOf).sort((a, b) => b.length - a.length)
  return weaknessOf(plain, context) ?? weaknessOf(withoutLookalikes(plain), context)
}

/**
 * Takes away what attackers try first, and looks at what is left. Three or more different common
 * words are a passphrase and fine.
 */
function weaknessOf(plain: string, context: readonly string[]): string | undefined {
  const found = new Set<string>()
  let rest = plain
  for (const word of [...context, ...LONGEST_FIRST]) {
    if (!rest.includes(word)) continue
    found.add(word)
    rest = rest.replaceAll(word, '\0')
  }
  const personal = [...found].some((word) => context.includes(word))
  if (found.size >= 3 && !personal) return undefined
  // Beside a common word digits and signs are years and counters; alone they count like letters.
  const own = withoutRuns(rest, found.size > 0)
  if (new Set(own).size >= OWN_CHARACTERS) return undefined
  if (personal) return 'it is made of your name, the name of this product or of its place'
  return found.size > 0 ? 'it is a common word with little added' : 'it repeats or counts on'
}

/** How the same words are dressed up. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/** Between letters only: at the ends they are years and counters. */
function withoutLookalikes(plain: string): string {
  const [, head = '', middle = '', tail = ''] = /^(\P{L}*)(.*?)(\P{L}*)$/su.exec(plain) ?? []
  return head + middle.replace(/[0134570@$!]/g, (sign) => LOOKALIKES[sign] ?? sign) + tail
}

/** `anna.meyer@clinic.example`: the whole, and its parts of four letters and more. */
function partsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  return [...new Set([plain, ...plain.split(/[^\p{L}\p{N}]+/u)])].filter((part) => part.length >= 4)
}

/** The characters that neither repeat nor follow the one before. */
function withoutRuns(text: string, lettersOnly: boolean): string[] {
  const own: string[] = []
  let before = 0
  for (const character of text) {
    const code = character.codePointAt(0) as number
    const counts = character !== '\0' && (!lettersOnly || /\p{L}/u.test(character))
    if (counts && Math.abs(code - before) > 1) own.push(character)
    before = code
  }
  return own
}
