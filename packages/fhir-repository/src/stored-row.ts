import type { FhirResource, StoredVersion } from '@scopegate/fhir-model'

/** A version as the tables hold it. */
export interface StoredRow {
  readonly sk: number
  readonly type: string
  readonly id: string
  readonly ver: number
  readonly lu: number
  readonly method: StoredVersion['method']
  readonly deleted: boolean
  readonly body: string
}

export const VERSION_COLUMNS = 'r.sk, r.type, r.id, r.ver, r.lu, r.method, r.deleted'
export const ROW_COLUMNS = `${VERSION_COLUMNS}, r.body`

export function toVersion(row: StoredRow): StoredVersion {
  return {
    type: row.type,
    id: row.id,
    versionId: row.ver,
    // Written when it is asked for: a page of a search has no use for it.
    get lastUpdated() {
      return new Date(row.lu).toISOString()
    },
    method: row.method,
    deleted: row.deleted,
    body: row.body,
  }
}

/** The content of a version. Bodies were parsed and judged before they were stored. */
export function contentOf(row: { readonly body: string }): FhirResource {
  return JSON.parse(row.body) as FhirResource
}
