/** What an import says while it goes; one JSON object per line. */
export type ImportEvent =
  | { readonly kind: 'progress'; readonly lines: number; readonly read: number }
  | ImportRefusal
  | ImportReport
  /** The import broke off; everything before was kept. Always the last event. */
  | { readonly kind: 'failed'; readonly why: string; readonly fix: string; readonly lines: number }

export interface ImportRefusal {
  readonly kind: 'refused'
  readonly line: number
  /** Position in the Bundle on that line, from 0. */
  readonly entry?: number
  readonly type?: string
  readonly id?: string
  readonly why: string
}

export interface TypeCounts {
  readonly in: number
  readonly unchanged: number
  readonly refused: number
}

export interface ImportReport {
  readonly kind: 'report'
  /** Lines that were not empty. */
  readonly lines: number
  /** Resources seen, entries of Bundles counted one by one. */
  readonly read: number
  readonly in: number
  readonly unchanged: number
  readonly refused: number
  /** By resource type; `?` where the type could not be read. */
  readonly types: Readonly<Record<string, TypeCounts>>
  readonly seconds: number
}
