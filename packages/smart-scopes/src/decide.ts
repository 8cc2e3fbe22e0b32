import { type Check, failed, passed } from '@scopegate/checks'
import { allowedFor, type Letter, type Predicate } from '@scopegate/fhir-model'
import type { CompiledAccess } from './compile-access.ts'
import { explainDenial } from './explain-denial.ts'
import { INTERACTION_LETTERS, type Interaction } from './interaction.ts'
import { listScopes } from './list-scopes.ts'
import { type Verdict, weighScopes } from './weigh-scopes.ts'

/** A type that a search reaches beside its own. */
export interface Join {
  readonly kind: 'chain' | 'has' | 'include' | 'revinclude'
  /** The types it may lead to; it is evaluated over those that are granted. Not empty. */
  readonly types: readonly string[]
  /** As the client wrote it, for explanations: `subject:Patient.name`, `_include=Observation:subject`. */
  readonly text: string
}

export interface AccessRequest {
  readonly interaction: Interaction
  /** Missing for interactions on the whole system. */
  readonly type?: string
  /** Whether matches are looked for first (`If-None-Exist`, `PUT Type?…`): needs `s` too. */
  readonly conditional?: boolean
  readonly joins?: readonly Join[]
  /** Under `Prefer: handling=strict` an include that is not granted is refused instead of left out. */
  readonly strict?: boolean
}

/** A join with the types over which it may be evaluated; none: it is left out. */
export interface JoinDecision {
  readonly join: Join
  readonly grantedTypes: readonly string[]
}

export type Decision =
  | {
      readonly allowed: true
      readonly letter: Letter
      /** Which resources of the type the interaction may touch; `all` for interactions on the whole system, whose types are judged one by one. */
      readonly predicate: Predicate
      readonly joins: readonly JoinDecision[]
      readonly because: readonly Verdict[]
      readonly checks: readonly Check[]
    }
  | {
      readonly allowed: false
      /** What was missing, as `Observation.s`. */
      readonly needed: string
      /** Scopes that would do, space-separated, for the challenge. */
      readonly challengeScope: string
      readonly because: readonly Verdict[]
      readonly checks: readonly Check[]
    }

/**
 * Decides whether a token permits an interaction at all, and within which limits. Looks at the
 * token only, never at data: an instance outside the limits is the backend's to treat as absent.
 * Nothing covers the interaction: denied.
 */
export function decide(compiled: CompiledAccess, request: AccessRequest): Decision {
  const letter = INTERACTION_LETTERS[request.interaction]
  const missing =
    lettersOf(request)
      .map((each) => ({ letter: each, type: request.type }))
      .find(({ letter: each, type }) => !isGranted(compiled, each, type)) ?? undefined
  if (missing !== undefined) {
    const isCondition = missing.letter !== letter
    return deny(compiled, missing.letter, missing.type, isCondition ? 'condition' : 'interaction')
  }

  const joins: JoinDecision[] = []
  for (const join of request.joins ?? []) {
    const grantedTypes = join.types.filter((type) =>
      canJoin(compiled, type, join.kind === 'include' ? 'include' : 'search'),
    )
    const isFilter = join.kind === 'chain' || join.kind === 'has'
    if (grantedTypes.length === 0 && (isFilter || request.strict === true))
      return deny(compiled, 's', join.types[0], 'join', join)
    joins.push({ join, grantedTypes })
  }

  const because = weighScopes(compiled, letter, request.type)
  return {
    allowed: true,
    letter,
    predicate:
      request.type === undefined
        ? { kind: 'all' }
        : allowedFor(compiled.access, letter, request.type),
    joins,
    because,
    checks: [
      passed('scopes', { got: covering(because) }),
      passed('interaction', { expected: neededText(letter, request.type) }),
      passed('context'),
    ],
  }
}

/**
 * Whether a search may look into a type (`search`: chains, `_has`, reverse includes) or fetch its
 * instances (`include`). An include shows what reading a known id would show, so `r` is enough.
 */
export function canJoin(
  { access }: CompiledAccess,
  type: string,
  need: 'search' | 'include',
): boolean {
  return (
    allowedFor(access, 's', type).kind !== 'none' ||
    (need === 'include' && allowedFor(access, 'r', type).kind !== 'none')
  )
}

/** `Observation.s`, or `*.s` for the whole system. */
export function neededText(letter: Letter, type: string | undefined): string {
  return `${type ?? '*'}.${letter}`
}

function lettersOf({ interaction, conditional }: AccessRequest): readonly Letter[] {
  const letter = INTERACTION_LETTERS[interaction]
  return conditional === true && letter !== 's' ? [letter, 's'] : [letter]
}

function isGranted({ access }: CompiledAccess, letter: Letter, type: string | undefined): boolean {
  return type === undefined
    ? access.allowed[letter].size > 0
    : allowedFor(access, letter, type).kind !== 'none'
}

function deny(
  compiled: CompiledAccess,
  letter: Letter,
  type: string | undefined,
  subject: 'interaction' | 'condition' | 'join',
  join?: Join,
): Decision {
  const because = weighScopes(compiled, letter, type)
  const needed =
    join === undefined
      ? neededText(letter, type)
      : join.types
          .slice(0, 5)
          .map((each) => neededText(letter, each))
          .join(' or ')
  const contexts = new Set([
    ...compiled.grants.map(({ scope }) => scope.context),
    ...compiled.voided.flatMap(({ parsed }) => parsed?.context ?? []),
  ])
  const challengeScope = [...(contexts.size === 0 ? ['system'] : contexts)]
    .map((context) => `${context}/${neededText(letter, type)}`)
    .join(' ')
  const failure =
    subject === 'join'
      ? failed('join_not_granted', { expected: needed, got: join!.text })
      : subject === 'condition'
        ? failed('condition_needs_search', { expected: needed, got: covering(because) })
        : explainDenial(compiled, because, needed)
  const before: Check[] =
    failure.name === 'scopes' ? [] : [passed('scopes', { got: grantedText(compiled) })]
  if (failure.name === 'context' || failure.name === 'constraint')
    before.push(passed('interaction', { expected: needed }))
  return { allowed: false, needed, challengeScope, because, checks: [...before, failure] }
}

function covering(because: readonly Verdict[]): string {
  return listScopes(because.filter(({ says }) => says === 'covers').map(({ scope }) => scope))
}

function grantedText({ grants, voided }: CompiledAccess): string {
  return `${grants.length} usable, ${voided.length} void`
}
