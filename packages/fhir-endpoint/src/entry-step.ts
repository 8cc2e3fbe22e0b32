import type { RequestEntry } from './bundle-entries.ts'
import type { Reply } from './reply.ts'
import type { Step } from './step.ts'

/** What an entry was and how it ended, for audit and trace. */
export interface EntryDone {
  readonly step: Step
  readonly interaction: RequestEntry['interaction'] | undefined
  readonly reply: Reply
}

export interface BundleDone {
  readonly reply: Reply
  readonly kind: 'batch' | 'transaction'
  readonly entries: readonly EntryDone[]
}

/** The step of an entry: its own call and checks, the caller of the whole. */
export function stepOf(step: Step, call: Step['call']): Step {
  return { ...step, call, trail: [...step.caller.checks] }
}
