import type { AdminEvent, Trace, TraceQuery } from '@scopegate/audit'

/** A key that signs our tokens, as operators see it; nothing of it is secret. */
export interface SigningKeyView {
  readonly kid: string
  readonly alg: string
  /** `next`: signs after the next rotation. `retired`: its last tokens may still live. */
  readonly state: 'next' | 'current' | 'retired'
  /** Epoch seconds. */
  readonly createdAt: number
  readonly retiredAt?: number
}

export interface SigningKeys {
  list(): Promise<readonly SigningKeyView[]>
  /** Breaks no token. */
  rotate(): Promise<{ readonly kid: string; readonly retired: string }>
}

/** One resource on its way in: its exact text, and where the user finds it. */
export interface ImportItem {
  readonly line: number
  /** Position in the Bundle that stands on the line. */
  readonly entry?: number
  readonly text: string
}

export interface ImportResult {
  readonly type?: string
  readonly id?: string
  readonly outcome: 'in' | 'unchanged' | 'refused'
  /** Why refused: which element, what is wrong; no values of patient data. */
  readonly why?: string
}

/** Keeps ids; the same id with the same content is `unchanged`. Answers in the order of the items. */
export interface ResourceImporter {
  importBatch(items: readonly ImportItem[]): Promise<readonly ImportResult[]>
}

export interface TraceReader {
  list(query: TraceQuery): Promise<readonly Trace[]>
}

export interface AdminAudit {
  /** @throws when the entry could not be written. */
  recordAdmin(event: AdminEvent): Promise<void>
  verify(): Promise<AuditVerification>
}

export interface AuditVerification {
  readonly intact: boolean
  readonly entries: number
  /** What is wrong, and from which entry on. */
  readonly problem?: string
}

/** What runs, for people and monitoring; no patient data. */
export interface ServerStatus {
  readonly version: string
  readonly url: string
  readonly startedAt: number
  readonly ready: boolean
  readonly endpoints: readonly { readonly name: string; readonly url: string }[]
  readonly storage: { readonly kind: 'embedded' | 'external'; readonly serverVersion?: string }
  readonly resourceCounts: Readonly<Record<string, number>>
  readonly clientCount: number
}
