import type { PathPart } from '../problem.ts'
import { applyEdits, type TextEdit } from './edit-text.ts'
import { readItems, readMembers, skipSpace } from './read-spans.ts'

/** One string value to replace. */
export interface StringEdit {
  /** Member names and array indexes from the top: `['subject', 'reference']`. */
  readonly path: readonly PathPart[]
  readonly value: string
}

type Branch = Map<PathPart, Branch | string>

/**
 * Replaces string values at the given places; every other byte stays. A place that the text does
 * not have is left out.
 *
 * @param text As accepted by `parseResource`.
 */
export function replaceStringsAt(text: string, edits: readonly StringEdit[]): string {
  if (edits.length === 0) return text
  const root: Branch = new Map()
  for (const { path, value } of edits) plant(root, path, value)
  const found: TextEdit[] = []
  collect(text, skipSpace(text, 0), root, found)
  return applyEdits(text, found)
}

function plant(root: Branch, path: readonly PathPart[], value: string): void {
  let branch = root
  path.forEach((part, index) => {
    if (index === path.length - 1) {
      branch.set(part, value)
      return
    }
    const next = branch.get(part)
    const inner: Branch = next instanceof Map ? next : new Map()
    branch.set(part, inner)
    branch = inner
  })
}

function collect(text: string, from: number, branch: Branch, found: TextEdit[]): void {
  const visit = (part: PathPart, span: { from: number; to: number }): void => {
    const wanted = branch.get(part)
    if (wanted === undefined) return
    if (wanted instanceof Map) collect(text, span.from, wanted, found)
    else if (text[span.from] === '"')
      found.push({ from: span.from, to: span.to, text: JSON.stringify(wanted) })
  }
  if (text[from] === '{') for (const member of readMembers(text, from)) visit(member.name, member)
  else if (text[from] === '[') {
    let index = 0
    for (const item of readItems(text, from)) visit(index++, item)
  }
}
