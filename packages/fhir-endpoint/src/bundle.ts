import { formatSearch, type StoredVersion } from '@scopegate/fhir-model'

export interface BundleLink {
  readonly relation: 'self' | 'next'
  readonly url: string
}

export interface SearchSet {
  readonly total?: number
  readonly links: readonly BundleLink[]
  readonly matches: readonly StoredVersion[]
  readonly includes: readonly StoredVersion[]
}

/**
 * Bundles are put together as text around the stored bodies: nothing is parsed, and every body
 * leaves as it was stored.
 */
export function searchSet(
  baseUrl: string,
  set: SearchSet,
  shape: (version: StoredVersion) => string,
): string {
  const entries: string[] = []
  for (const version of set.matches) entries.push(searchEntry(baseUrl, version, shape, 'match'))
  for (const version of set.includes) entries.push(searchEntry(baseUrl, version, shape, 'include'))
  return bundle('searchset', set.total, set.links, entries)
}

/** One page of an instance's history, newest first; a deletion has no resource. */
export function historySet(
  baseUrl: string,
  set: Pick<SearchSet, 'total' | 'links'> & { readonly versions: readonly StoredVersion[] },
): string {
  const entries = set.versions.map((version) => {
    const { type, id, versionId, method } = version
    const url = method === 'POST' ? type : `${type}/${id}`
    const status =
      method === 'DELETE' ? '204' : method === 'POST' || versionId === 1 ? '201' : '200'
    const request = JSON.stringify({ method, url })
    const response = JSON.stringify({
      status,
      etag: `W/"${versionId}"`,
      lastModified: version.lastUpdated,
    })
    const resource = version.deleted ? '' : `"resource":${version.body},`
    return `{"fullUrl":"${baseUrl}/${type}/${id}",${resource}"request":${request},"response":${response}}`
  })
  return bundle('history', set.total, set.links, entries)
}

/** The answer to a batch or transaction. */
export function responseBundle(
  type: 'batch-response' | 'transaction-response',
  entries: readonly string[],
): string {
  return `{"resourceType":"Bundle","type":"${type}"${entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`}}`
}

/** Address of a search with these parameters. */
export function searchUrl(
  baseUrl: string,
  type: string,
  pairs: readonly (readonly [string, string])[],
): string {
  return `${baseUrl}/${type}${pairs.length === 0 ? '' : `?${formatSearch(pairs)}`}`
}

function searchEntry(
  baseUrl: string,
  version: StoredVersion,
  shape: (version: StoredVersion) => string,
  mode: 'match' | 'include',
): string {
  return `{"fullUrl":"${baseUrl}/${version.type}/${version.id}","resource":${shape(version)},"search":{"mode":"${mode}"}}`
}

function bundle(
  type: string,
  total: number | undefined,
  links: readonly BundleLink[],
  entries: readonly string[],
): string {
  return (
    `{"resourceType":"Bundle","type":"${type}"` +
    `${total === undefined ? '' : `,"total":${total}`}` +
    `,"link":${JSON.stringify(links)}` +
    // FHIR knows no empty arrays.
    `${entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`}}`
  )
}
