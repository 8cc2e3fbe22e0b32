import { patientCompartment } from '@scopegate/fhir-model'
import { formatScope } from './format-scope.ts'
import { parseScope } from './parse-scope.ts'
import type { ResourceScope, Scope } from './scope.ts'
import { describeConstraint, namedCategories } from './words/describe-constraint.ts'
import { describePlainScope } from './words/describe-plain-scope.ts'
import { SCOPE_CATEGORIES } from './words/scope-categories.ts'
import { SCOPE_WORDS, type ScopeWords } from './words/scope-words.ts'
import { fill, joinWords, lookUp, showText } from './words/show-text.ts'

/** A scope in words that people understand. */
export interface ScopeDescription {
  /** As it was asked for. */
  readonly scope: string
  /** One short sentence without a full stop. Never empty. */
  readonly title: string
  /** What exactly, in one to four sentences. Never empty. */
  readonly detail: string
  readonly kind: ScopeKind
  /** Worth a second look: writes, lasts, reaches everything, or data that many hold private. */
  readonly sensitive: boolean
  /** What a consent page may offer instead of the whole type; each is covered by this scope. */
  readonly categories?: readonly ScopeChoice[]
}

export type ScopeKind =
  | 'read'
  | 'write'
  /** Reads and writes. */
  | 'both'
  | 'identity'
  | 'launch'
  | 'offline'
  | 'online'
  | 'admin'
  | 'unknown'

export interface ScopeChoice {
  readonly scope: string
  readonly title: string
  /** The category alone, for a list under the title of the whole. */
  readonly name: string
  readonly sensitive: boolean
}

export interface DescribeScopeOptions {
  /**
   * Who reads it. `self`: the patient of the launch is the reader ("your …"); otherwise a `patient/`
   * scope speaks of "this patient". The words of `user/` and `system/` scopes do not depend on it.
   */
  readonly perspective?: 'self' | 'patient' | 'user' | 'system'
  /** Default English. */
  readonly words?: ScopeWords
}

type Whose = keyof ScopeWords['everything']

/**
 * What a scope permits, in words. Every text gets an answer; what is not understood says so and is
 * marked sensitive. The words never promise less than the scope gives, and a constraint is always
 * told. Texts of clients stand in them shortened and without control characters, but not escaped:
 * a page must escape them. Whether the scope is granted, or voided by its context, is not looked at.
 */
export function describeScope(
  scope: string | Scope,
  options: DescribeScopeOptions = {},
): ScopeDescription {
  const words = options.words ?? SCOPE_WORDS.en
  const text = typeof scope === 'string' ? scope : formatScope(scope)
  const parsed = typeof scope === 'string' ? parseScope(scope) : ({ ok: true, scope } as const)
  if (!parsed.ok) {
    const shown = { scope: showText(text) }
    return {
      scope: text,
      title: fill(words.unknown.title, shown),
      detail: fill(words.unknown.detail, shown),
      kind: 'unknown',
      sensitive: true,
    }
  }
  return parsed.scope.kind === 'plain'
    ? { scope: text, ...describePlainScope(parsed.scope.value, words) }
    : describeResourceScope(text, parsed.scope, options.perspective, words)
}

function describeResourceScope(
  text: string,
  scope: ResourceScope,
  perspective: DescribeScopeOptions['perspective'],
  words: ScopeWords,
): ScopeDescription {
  const whose: Whose =
    scope.context === 'patient' ? (perspective === 'self' ? 'self' : 'patient') : scope.context
  const { letters, type, params } = scope
  const reads = letters.includes('r') || letters.includes('s')
  const writes = letters.some((letter) => letter === 'c' || letter === 'u' || letter === 'd')
  const categories = choicesOf(scope, whose, words)
  return {
    scope: text,
    title: titleOf(scope, namedCategories(type, params), whose, words),
    detail: detailOf(scope, whose, writes, words),
    kind: reads ? (writes ? 'both' : 'read') : 'write',
    sensitive: writes || isSensitive(scope),
    ...(categories.length === 0 ? {} : { categories }),
  }
}

function titleOf(
  { type, letters, params }: Pick<ResourceScope, 'type' | 'letters' | 'params'>,
  named: readonly string[] | undefined,
  whose: Whose,
  words: ScopeWords,
): string {
  const verbs = [
    ...(letters.includes('r') || letters.includes('s') ? [words.verbs.read] : []),
    ...(['c', 'u', 'd'] as const).filter((l) => letters.includes(l)).map((l) => words.verbs[l]),
  ]
  const name =
    named === undefined
      ? (lookUp(words.types, type) ?? showText(type))
      : joinWords(
          named.map((key) => words.categories[key]!),
          words.and,
        )
  const what =
    type === '*'
      ? words.everything[whose]
      : fill(words.whose[belongsToPatients(type) ? whose : 'nobody'], { what: name })
  const template = params.length === 0 || named !== undefined ? words.title : words.titleOfPart
  const title = fill(template, { verbs: joinWords(verbs, words.and), what })
  return title.charAt(0).toLocaleUpperCase(words.language) + title.slice(1)
}

function detailOf(
  { type, letters, params }: ResourceScope,
  whose: Whose,
  writes: boolean,
  words: ScopeWords,
): string {
  const { details } = words
  const verbs = (['r', 's', 'c', 'u', 'd'] as const).filter((letter) => letters.includes(letter))
  const permits = joinWords(
    verbs.map((letter) => words.letters[letter]),
    words.and,
  )
  return [
    fill(words.permits, { letters: permits }),
    ...(params.length === 0
      ? []
      : [fill(words.only, { constraint: describeConstraint(type, params, words) })]),
    ...(type === '*' ? [details.everything] : belongsToPatients(type) ? [] : [details.nobody]),
    ...(whose === 'user' || whose === 'system' ? [details[whose]] : []),
    ...(writes ? [details.write] : []),
  ].join(' ')
}

/** The categories of the type, as scopes with the same letters; of a scope without a constraint. */
function choicesOf(scope: ResourceScope, whose: Whose, words: ScopeWords): readonly ScopeChoice[] {
  if (scope.params.length > 0) return []
  const { v1: _, ...rest } = scope
  return Object.entries(SCOPE_CATEGORIES).flatMap(([key, { type, system, code, sensitive }]) => {
    if (type !== scope.type) return []
    const choice = { ...rest, params: [{ name: 'category', values: [`${system}|${code}`] }] }
    const title = titleOf(choice, [key], whose, words)
    return [{ scope: formatScope(choice), title, name: words.categories[key]!, sensitive }]
  })
}

function belongsToPatients(type: string): boolean {
  return type === 'Patient' || patientCompartment(type).length > 0
}

function isSensitive({ context, type, params }: ResourceScope): boolean {
  if (context === 'system' || type === '*') return true
  const named = namedCategories(type, params)
  return named === undefined
    ? SENSITIVE_TYPES.has(type)
    : named.some((key) => SCOPE_CATEGORIES[key]!.sensitive)
}

// Diagnoses, free text, genes, relatives, money: what people name when asked what is private.
// Observation stands for its social history and surveys.
const SENSITIVE_TYPES: ReadonlySet<string> = new Set(
  (
    'Observation Condition DocumentReference Composition DiagnosticReport Binary Bundle Media ' +
    'ClinicalImpression RiskAssessment DetectedIssue FamilyMemberHistory MolecularSequence ' +
    'QuestionnaireResponse Communication Consent AuditEvent Provenance Person RelatedPerson ' +
    'Account Claim ClaimResponse Coverage ExplanationOfBenefit Invoice MedicationRequest ' +
    'MedicationStatement MedicationAdministration MedicationDispense EpisodeOfCare'
  ).split(' '),
)
