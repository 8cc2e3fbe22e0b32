/** Why a piece of a search is not understood, and what to write instead. User input in backticks. */
export interface Fault {
  /**
   * - `unknown-parameter`: the type has no such parameter (a lenient search ignores it).
   * - `not-supported`: part of FHIR search, not claimed by this server.
   * - `invalid`: everything else.
   */
  readonly kind: 'unknown-parameter' | 'not-supported' | 'invalid'
  readonly why: string
  readonly fix: string
}

/** A fault, and the parameter in which it was found. */
export interface SearchProblem extends Fault {
  readonly param: string
  readonly value: string
}

export function invalid(why: string, fix: string): Fault {
  return { kind: 'invalid', why, fix }
}

/** Long input is cut in messages, never in what is evaluated. */
export function quoted(text: string): string {
  return text.length <= 80 ? `\`${text}\`` : `\`${text.slice(0, 77)}…\``
}

/** Whether a reader answered with a fault instead of what it read. */
export function isFault(answer: object): answer is Fault {
  return 'why' in answer
}

/** `Patient, Group or Device`; a long list is cut. */
export function anyOfThese(names: readonly string[]): string {
  if (names.length > 8) return `${names.slice(0, 8).join(', ')} …`
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`
}
