/** A FHIR R4 resource as parsed JSON. Structure is judged by `validateResource`, not by this type. */
export interface FhirResource {
  readonly resourceType: string
  readonly id?: string
  readonly meta?: {
    readonly versionId?: string
    readonly lastUpdated?: string
    readonly [member: string]: unknown
  }
  readonly [member: string]: unknown
}

/**
 * One stored version. `body` is the exact JSON text with `id`, `meta.versionId` and
 * `meta.lastUpdated` set; it is `''` for a deletion.
 */
export interface StoredVersion {
  readonly type: string
  readonly id: string
  readonly versionId: number
  /** RFC 3339 with milliseconds, UTC, as in `meta.lastUpdated`. */
  readonly lastUpdated: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly deleted: boolean
  readonly body: string
}

/** Where an instance lives. */
export interface ResourceKey {
  readonly type: string
  readonly id: string
}
