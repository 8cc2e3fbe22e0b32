import { fillWords } from './fill-words.ts'
import type { ProviderError, ProviderErrorRow, ProviderMatch } from './provider-error.ts'
import { PROVIDER_ERRORS } from './provider-errors.ts'
import type { ProviderSignal } from './provider-signal.ts'
import { SIGNAL_FACTS } from './signal-facts.ts'

/** Longer texts of a provider are cut before they are searched. */
const SEARCHED_CHARACTERS = 2_000

const ROWS = Object.entries<ProviderErrorRow>(PROVIDER_ERRORS)

/**
 * Why it failed and what helps: the row that says most of what the signal says, in words that fit
 * it. Always one; `unknown_provider_error` where nothing is known. The texts hold only what the
 * signal holds. A provider that is not the row's own counts less, and only by a number, a text or
 * an address that no other provider has.
 */
export function findProviderError(signal: ProviderSignal): ProviderError {
  const seen = { ...signal, codes: codesOf(signal) }
  let best = {
    weight: -1,
    code: 'unknown_provider_error',
    row: undefined as ProviderErrorRow | undefined,
  }
  for (const [code, row] of ROWS) {
    for (const match of row.when) {
      const weight = weigh(match, row, seen)
      if (weight !== undefined && weight > best.weight) best = { weight, code, row }
    }
  }
  const row: ProviderErrorRow = best.row ?? PROVIDER_ERRORS.unknown_provider_error
  const exact = row.refine?.find((refinement) => SIGNAL_FACTS[refinement.if](seen))
  return {
    code: best.code,
    kind: exact?.kind ?? row.kind,
    cause: fillWords(exact?.cause ?? row.cause, seen),
    fix: fillWords(exact?.fix ?? row.fix, seen),
  }
}

/** How much of the signal the match accounts for; `undefined` where it does not hold. */
function weigh(
  match: ProviderMatch,
  row: ProviderErrorRow,
  signal: ProviderSignal,
): number | undefined {
  const isOurs = row.providers.some((name) => name === signal.preset)
  const isDistinctive =
    match.codes !== undefined || match.text !== undefined || match.errorUri !== undefined
  if (!isOurs && !isDistinctive && !row.providers.includes('any')) return undefined
  // Refusals of a resource are not refusals of a token endpoint, whatever their words.
  if (signal.stage === 'resource' && !isAboutResources(match)) return undefined

  let weight = isOurs ? 1 : 0
  for (const part of PARTS) {
    if (match[part.name] === undefined) continue
    if (!part.holds(match, signal)) return undefined
    weight += part.weight
  }
  return weight
}

const isAboutResources = (match: ProviderMatch) =>
  match.stage === 'resource' ||
  match.finding !== undefined ||
  match.nodeCode !== undefined ||
  Object.keys(match).length === 0

/** What a match may name, with what it counts: the rarer, the more. */
const PARTS: readonly {
  readonly name: keyof ProviderMatch
  readonly weight: number
  readonly holds: (match: ProviderMatch, signal: ProviderSignal) => boolean
}[] = [
  { name: 'finding', weight: 128, holds: (match, { finding }) => match.finding === finding },
  {
    name: 'codes',
    weight: 64,
    holds: (match, { codes = [] }) => codes.some((code) => match.codes?.includes(code)),
  },
  {
    name: 'errorUri',
    weight: 64,
    holds: (match, { errorUri = '' }) => match.errorUri?.test(cut(errorUri)) === true,
  },
  {
    name: 'nodeCode',
    weight: 64,
    holds: (match, { nodeCode = '' }) => match.nodeCode?.includes(nodeCode) === true,
  },
  {
    name: 'text',
    weight: 32,
    holds: (match, { error = '', description = '' }) =>
      match.text?.test(cut(`${error}\n${description}`)) === true,
  },
  {
    name: 'fact',
    weight: 10,
    holds: (match, signal) => match.fact !== undefined && SIGNAL_FACTS[match.fact](signal),
  },
  {
    name: 'error',
    weight: 8,
    holds: (match, { error = '' }) => match.error?.includes(error) === true,
  },
  {
    name: 'status',
    weight: 12,
    holds: (match, { status = 0 }) => match.status?.includes(status) === true,
  },
  { name: 'stage', weight: 2, holds: (match, { stage }) => match.stage === stage },
]

const cut = (text: string) => text.slice(0, SEARCHED_CHARACTERS)

function codesOf({ codes, description = '' }: ProviderSignal): readonly number[] {
  if (codes !== undefined && codes.length > 0) return codes
  return [...cut(description).matchAll(/\bAADSTS(\d{2,8})\b/g)].map(([, digits]) => Number(digits))
}
