import { DE } from './de.ts'
import { EN } from './en.ts'

/**
 * The words in which scopes are told to people. Templates hold `{x}`: what is put in is text, never
 * markup. A translation has exactly these members; another language is another value of this type.
 */
export interface ScopeWords {
  /** BCP 47. */
  readonly language: string
  /** What each letter permits, for the detail. */
  readonly letters: Readonly<Record<'c' | 'r' | 'u' | 'd' | 's', string>>
  /** For the title; searching gives the same data as reading. */
  readonly verbs: Readonly<Record<'read' | 'c' | 'u' | 'd', string>>
  readonly and: string
  readonly or: string
  /** `{verbs}` and `{what}`: the sentence. */
  readonly title: string
  /** As `title`, where a constraint lets through a part that has no name. */
  readonly titleOfPart: string
  /** Whose data: `{what}`. */
  readonly whose: Readonly<Record<'self' | 'patient' | 'user' | 'system' | 'nobody', string>>
  readonly everything: Readonly<Record<'self' | 'patient' | 'user' | 'system', string>>
  /** `{letters}`. */
  readonly permits: string
  /** `{constraint}`. */
  readonly only: string
  /** `{code}`, `{system}`: values that have no name. */
  readonly anyOfSystem: string
  readonly withoutSystem: string
  readonly codeOfSystem: string
  /** `{count}`: alternatives that are too many to show. */
  readonly more: string
  readonly details: Readonly<Record<'everything' | 'user' | 'system' | 'nobody' | 'write', string>>
  /** The names of the parameters that have one. */
  readonly params: Readonly<Record<string, string>>
  /** In the plural, or without number: what stands after "Read …". */
  readonly types: Readonly<Record<string, string>>
  /** By the key of `SCOPE_CATEGORIES`. */
  readonly categories: Readonly<Record<string, string>>
  readonly plain: Readonly<Record<string, PlainWords>>
  /** `admin/<area>.<access>`: `{area}`. */
  readonly adminAccess: Readonly<Record<'read' | 'write', PlainWords>>
  readonly adminAreas: Readonly<Record<string, string>>
  /** `{scope}`: what nobody here has words for. */
  readonly unknown: PlainWords
  /** `{scope}`, `{type}`: `launch/…` of another type. */
  readonly otherLaunch: PlainWords
}

export interface PlainWords {
  readonly title: string
  readonly detail: string
}

/** The languages there are words for. */
export const SCOPE_WORDS = { en: EN, de: DE } as const satisfies Record<string, ScopeWords>

export type ScopeLanguage = keyof typeof SCOPE_WORDS
