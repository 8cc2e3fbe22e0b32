/** What is wrong with a body, for an OperationOutcome. Never holds values out of the body. */
export interface Problem {
  /** An issue type of FHIR: `structure`, `required`, `value`, `code-invalid`, `invariant`, `too-long`. */
  readonly code: 'structure' | 'required' | 'value' | 'code-invalid' | 'invariant' | 'too-long'
  /** Where, FHIRPath-like: `Observation.component[1].code`. */
  readonly expression: string
  /** What is wrong and what to do, for people. */
  readonly text: string
  /** Where in the text; only from `parseResource`. Both count from 1. */
  readonly line?: number
  readonly column?: number
}

export type PathPart = string | number

const LONGEST_NAME = 64
const MOST_PARTS = 24

/** `['Patient', 'name', 0]` → `Patient.name[0]`; cut where it grows absurd. */
export function formatPath(path: readonly PathPart[]): string {
  let text = ''
  for (const part of path.slice(0, MOST_PARTS)) {
    if (typeof part === 'number') text += `[${part}]`
    else {
      const name = part.length > LONGEST_NAME ? `${part.slice(0, LONGEST_NAME)}…` : part
      text += text === '' ? name : `.${name}`
    }
  }
  return path.length > MOST_PARTS ? `${text}…` : text
}
