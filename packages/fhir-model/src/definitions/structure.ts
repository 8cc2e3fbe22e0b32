import { CODE_SETS, STRUCTURES } from '../generated/structures.ts'

/** One member that an object of a type may have in JSON. */
export interface Slot {
  /** `valueQuantity`. */
  readonly member: string
  /** The element: `value` for every `value[x]`; the member otherwise. */
  readonly element: string
  readonly type: string
  readonly array: boolean
  /** For References: the types it may point to; empty means any. */
  readonly targets: readonly string[]
  readonly codes: CodeSet | undefined
}

/** An element that must be there: one of its members, or its `_member`. */
export interface Required {
  readonly element: string
  readonly members: readonly string[]
}

export interface Structure {
  readonly slots: ReadonlyMap<string, Slot>
  readonly required: readonly Required[]
  /** Elements with several members, of which one at most may be there. */
  readonly hasChoices: boolean
  /** Elements, in order, that `_summary=true` keeps. */
  readonly summary: readonly string[]
}

/** The codes of a value set, for required bindings. */
export interface CodeSet {
  readonly codes: ReadonlySet<string>
  /** `system|code`. */
  readonly codings: ReadonlySet<string>
}

const LINES: ReadonlyMap<string, string> = new Map(
  STRUCTURES.split('\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1)] as const
  }),
)
const SETS = CODE_SETS.split('\n')
const CELL = /^(\w+)(\[x\])?([?!*+])(\^)?([^@]*)(?:@(\d+))?$/

const read = new Map<string, Structure>()
const readSets = new Map<number, CodeSet>()

/**
 * The structure of a resource type, data type or backbone (`Observation.component`); read from the
 * generated tables on first use. `undefined` for primitives and unknown types.
 */
export function structureOf(type: string): Structure | undefined {
  const known = read.get(type)
  if (known !== undefined) return known
  const line = LINES.get(type)
  if (line === undefined) return undefined
  const structure = readStructure(line)
  read.set(type, structure)
  return structure
}

function readStructure(line: string): Structure {
  const slots = new Map<string, Slot>()
  const required: Required[] = []
  const summary: string[] = []
  let hasChoices = false
  for (const cell of line.split(';')) {
    const [, name, choice, sign, inSummary, types, set] = CELL.exec(cell)!
    const element = name!
    const array = sign === '*' || sign === '+'
    const members: string[] = []
    for (const part of types!.split('|')) {
      const [type, targets] = part.split('>') as [string, string | undefined]
      const member =
        choice === undefined ? element : element + type[0]!.toUpperCase() + type.slice(1)
      members.push(member)
      slots.set(member, {
        member,
        element,
        type,
        array,
        targets: targets === undefined ? [] : targets.split(','),
        codes: set === undefined ? undefined : codeSet(Number(set)),
      })
    }
    if (choice !== undefined) hasChoices = true
    if (sign === '!' || sign === '+') required.push({ element, members })
    if (inSummary !== undefined) summary.push(element)
  }
  return { slots, required, hasChoices, summary }
}

function codeSet(number: number): CodeSet {
  const known = readSets.get(number)
  if (known !== undefined) return known
  const codes = new Set<string>()
  const codings = new Set<string>()
  for (const row of SETS[number]!.split(';')) {
    const [system, ...list] = row.split('|')
    for (const code of list) {
      codes.add(code)
      codings.add(`${system}|${code}`)
    }
  }
  const set = { codes, codings }
  readSets.set(number, set)
  return set
}
