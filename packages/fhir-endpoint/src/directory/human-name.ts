import { displayText, listOf } from './display-text.ts'

type HumanName = Readonly<Record<string, unknown>>

/** The name to address a person by comes first; what was once or is not to be used, last. */
const USES = ['official', 'usual', undefined, 'temp', 'nickname', 'anonymous', 'maiden', 'old']

/**
 * A person's name as it is written for people: the `text` of the best HumanName, else its prefix,
 * given names, family name and suffix. Names that have ended come after those that have not.
 * `undefined` when none has any text.
 *
 * @param nowMs epoch milliseconds
 * @see https://hl7.org/fhir/R4/datatypes.html#HumanName
 */
export function formatHumanName(names: unknown, nowMs: number): string | undefined {
  return listOf(names)
    .map((name) => ({ text: textOf(name), rank: rankOf(name, nowMs) }))
    .filter((each): each is { text: string; rank: number } => each.text !== undefined)
    .sort((a, b) => a.rank - b.rank)[0]?.text
}

function textOf(name: HumanName): string | undefined {
  return (
    displayText(name.text) ??
    displayText(
      [name.prefix, name.given, name.family, name.suffix]
        .flat()
        .map(displayText)
        .filter((part) => part !== undefined)
        .join(' '),
    )
  )
}

function rankOf({ use, period }: HumanName, nowMs: number): number {
  const known = USES.indexOf(use as string | undefined)
  const end = listOf(period)[0]?.end
  const ended = typeof end === 'string' && Date.parse(end) < nowMs
  return (known === -1 ? USES.indexOf(undefined) : known) + (ended ? USES.length : 0)
}
