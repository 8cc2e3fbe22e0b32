/** What an operator may choose for one endpoint. */
export interface FhirEndpointSettings {
  /** PUT to a new id creates it, for callers whose `u` is unrestricted on the type. */
  readonly updateCreate: boolean
  /** Page size when the caller asks for none. */
  readonly defaultCount: number
  readonly maxCount: number
  /** Largest body of a single resource. */
  readonly maxBodyBytes: number
  /** Largest body of a batch or transaction. */
  readonly maxBundleBytes: number
  readonly maxBundleEntries: number
  /** How long the entries of a batch may take together; those that no longer fit are not carried out. */
  readonly maxBatchMs: number
  /** Judge every resource that leaves once more, for backends that do not do so themselves. */
  readonly recheck: boolean
  /** How long a page link works. */
  readonly cursorSeconds: number
}

export const DEFAULT_SETTINGS: FhirEndpointSettings = Object.freeze({
  updateCreate: false,
  defaultCount: 50,
  maxCount: 1000,
  maxBodyBytes: 16 * 1024 * 1024,
  maxBundleBytes: 64 * 1024 * 1024,
  maxBundleEntries: 10_000,
  maxBatchMs: 60_000,
  recheck: false,
  cursorSeconds: 3600,
})
