/**
 * Who did what to clinical data, and how it ended. It names persons (subject, patient), so it is
 * kept apart from traces and logs, and no FHIR route leads to it.
 */
export interface AccessEvent {
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly correlationId: string
  /** The endpoint's public address. */
  readonly endpoint: string
  readonly issuer?: string
  readonly clientId?: string
  readonly subject?: string
  readonly fhirUser?: string
  /** The patient of the token; missing for system and user contexts. */
  readonly patient?: string
  /** `read`, `search-type`, `create` … as in FHIR's restful-interaction; `unknown` when unclear. */
  readonly interaction: string
  readonly resourceType?: string
  readonly resourceId?: string
  readonly decision: 'permitted' | 'refused' | 'absent' | 'failed'
  /** HTTP status of the answer, or of the batch entry. */
  readonly status: number
  /** Resources in the answer. */
  readonly count: number
  /** Why refused: a code of the catalogue of reasons. */
  readonly reason?: string
  /** Position in a batch or transaction. */
  readonly entry?: number
}

/** Who changed the configuration over the admin API, what, and how it ended. */
export interface AdminEvent {
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly correlationId: string
  readonly issuer?: string
  readonly clientId?: string
  readonly subject?: string
  /** `client.create`, `client.rotate-secret`, `import` … */
  readonly action: string
  /** What it was done to: `client/lab-reader`. */
  readonly target?: string
  readonly decision: 'permitted' | 'refused' | 'failed'
  readonly status: number
  /** What changed, without secrets and patient data. */
  readonly detail?: Readonly<Record<string, unknown>>
}
