import type { StoredVersion } from '@scopegate/fhir-model'
import type { Call } from './call.ts'

export type ParsedEtag =
  | { readonly ok: true; readonly versionId: number | undefined }
  | { readonly ok: false }

const ETAG = /^(?:W\/)?"([1-9][0-9]{0,9})"$/

/** `W/"3"`, as FHIR writes the version into `ETag`. */
export function etagOf(version: StoredVersion): string {
  return `W/"${version.versionId}"`
}

/** As in `Last-Modified`: whole seconds. */
export function lastModifiedOf(version: StoredVersion): string {
  return new Date(version.lastUpdated).toUTCString()
}

/**
 * Reads `If-Match` of a write. `undefined` for the version when there is no header. FHIR knows one
 * version here: a list and `*` are malformed.
 * @see https://hl7.org/fhir/R4/http.html#concurrency
 */
export function parseIfMatch(header: string | undefined): ParsedEtag {
  if (header === undefined) return { ok: true, versionId: undefined }
  const version = ETAG.exec(header.trim())?.[1]
  return version === undefined ? { ok: false } : { ok: true, versionId: Number(version) }
}

/**
 * Whether the caller has this version already, by `If-None-Match` or, without it, by
 * `If-Modified-Since`. Must be asked only about a version that the caller may see.
 * @see RFC 9110 §13.2.2
 */
export function isNotModified(call: Call, version: StoredVersion): boolean {
  const known = call.header('if-none-match')
  if (known !== undefined) {
    return known.split(',').some((tag) => {
      const trimmed = tag.trim()
      return trimmed === '*' || ETAG.exec(trimmed)?.[1] === String(version.versionId)
    })
  }
  const since = call.header('if-modified-since')
  if (since === undefined) return false
  const sinceMs = Date.parse(since)
  if (Number.isNaN(sinceMs)) return false
  return Math.floor(Date.parse(version.lastUpdated) / 1000) <= Math.floor(sinceMs / 1000)
}
