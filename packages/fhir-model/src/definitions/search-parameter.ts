import type { SearchParamType } from '../query.ts'

/** One search parameter on one resource type, as HL7 defines it for R4. */
export interface SearchParameter {
  /** The resource type it is used on, `Observation`. */
  readonly base: string
  /** The name in a URL, `value-quantity`. */
  readonly code: string
  readonly type: SearchParamType
  /** The canonical URL of its definition. */
  readonly url: string
  /** For references: the types it may point to (concrete types; `Resource` is spelled out). */
  readonly targets: readonly string[]
  /** For composites: its parts in order; empty otherwise. */
  readonly components: readonly SearchParameterComponent[]
  /** The FHIR types of the elements it looks at: `CodeableConcept`, `Identifier`, `canonical` … */
  readonly elementTypes: readonly string[]
}

export interface SearchParameterComponent {
  /** The code of the parameter that defines this part, `code`. */
  readonly code: string
  readonly type: SearchParamType
  readonly targets: readonly string[]
  readonly elementTypes: readonly string[]
}
