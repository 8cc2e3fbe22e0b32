import type { FhirResource } from '@scopegate/fhir-model'
import type { AccessPolicy } from '@scopegate/smart-scopes'
import type { ObservationWords } from '../fixture.ts'
import type { TokenWish } from '../harness.ts'

/** One row of the matrix: a token, and requests with their exact outcomes. */
export interface Row {
  readonly id: string
  readonly title: string
  /** `null`: no token. `{LAB}` and its like stand for the texts of `macros.ts`. */
  readonly scope: string | null
  readonly claims?: Claims
  /** Other than the default. */
  readonly policy?: Partial<AccessPolicy>
  /** Stored beside the fixture, in this order; a repeated one is another version. */
  readonly also?: readonly (FhirResource & { readonly id: string })[]
  readonly steps: readonly Step[]
  /** The steps write: the store is filled anew afterwards. */
  readonly changes?: boolean
  /** All answers are the same, but for the id asked for and what differs by request. */
  readonly identical?: boolean
}

/** Beside the scope. The patient is P1 unless said otherwise; `null`: none. */
export type Claims = Omit<Partial<TokenWish>, 'scope' | 'patient'> & {
  readonly patient?: string | null
}

export interface Step {
  /** `GET Observation?…`, relative to the FHIR base. */
  readonly request: string
  /** The link with this relation of the last Bundle, instead of the address of `request`. */
  readonly follow?: string
  /** One character of that link is changed. */
  readonly tamper?: boolean
  readonly scope?: string
  readonly claims?: Claims
  readonly signature?: 'broken'
  /** Added to the address, a followed one too. */
  readonly append?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?:
    | { readonly observation: ObservationWords }
    | { readonly json: unknown }
    | { readonly text: string }
    | { readonly form: string }
  readonly expect: Expectation
}

export interface Expectation {
  readonly status?: number | readonly number[]
  /** Ids of all match entries over all pages; the order counts only with `ordered`. */
  readonly matches?: readonly string[]
  readonly ordered?: boolean
  /** If there are matches, they are among these. */
  readonly matchesWithin?: readonly string[]
  /** `Type/id` of all include entries over all pages. */
  readonly includes?: readonly string[]
  readonly includesWithin?: readonly string[]
  readonly total?: number
  /** Number of entries of this page. */
  readonly entries?: number
  readonly hasNext?: boolean
  readonly selfLacks?: string
  /** `id/version` of the entries of a history, in order. */
  readonly versions?: readonly string[]
  /** Status of every entry of the answer to a batch or transaction. */
  readonly statuses?: readonly number[]
  /** What the body holds, at least. */
  readonly has?: unknown
  /** A pattern that the text of the body fits. */
  readonly text?: string
  /** A pattern that the text of the body must not fit. */
  readonly textLacks?: string
  readonly empty?: boolean
  readonly headersMatch?: Readonly<Record<string, string>>
  readonly lacksHeaders?: readonly string[]
  /** The reason code in the OperationOutcome. */
  readonly reason?: string
}
