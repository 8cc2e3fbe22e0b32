/** Strings longer than this are not worth keeping, and could be sent to fill the memory. */
const MAX_KEY_CHARACTERS = 4096

/**
 * A pure function of texts that remembers its last answers: clients ask for the same scopes again
 * and again. Answers are shared, so they must not be changed.
 */
export function remember<Args extends readonly string[], Answer>(
  maxAnswers: number,
  make: (...args: Args) => Answer,
): (...args: Args) => Answer {
  let young = new Map<string, Answer>()
  let old = new Map<string, Answer>()
  return (...args) => {
    // Each text with its length, so that no two lists of texts have one key.
    const key = args.map((text) => `${text.length}:${text}`).join('')
    const known = young.get(key)
    if (known !== undefined) return known
    const answer = old.get(key) ?? make(...args)
    if (key.length > MAX_KEY_CHARACTERS) return answer
    young.set(key, answer)
    // Two generations: what is in use moves on, what is not goes with the old one.
    if (young.size >= maxAnswers / 2) {
      old = young
      young = new Map()
    }
    return answer
  }
}
