import type { SearchParamType } from '../query.ts'

/** What a value is read against: a parameter, or one component of a composite. */
export interface ValueShape {
  readonly type: SearchParamType
  readonly targets: readonly string[]
  readonly elementTypes: readonly string[]
  readonly components?: readonly ValueShape[]
}

export interface ValueContext {
  /** Our own base URL, without a final slash: references below it are local. */
  readonly baseUrl: string | undefined
  /** For `ap` on dates. */
  readonly nowMs: number
}
