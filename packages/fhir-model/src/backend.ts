import type { Check } from '@scopegate/checks'
import type { Access } from './access.ts'
import type { SearchPosition, SearchQuery } from './query.ts'
import type { FhirResource, ResourceKey, StoredVersion } from './resource.ts'

/**
 * How an endpoint meets data. Every call takes the `Access` it runs under; there is no call
 * without one. What the Access hides does not exist: `absent` has the same shape whether the
 * instance is hidden or was never there. Its `checks` are for the operator's trace only.
 */
export interface FhirBackend {
  /** Needs `r`. */
  read(key: ResourceKey, access: Access): Promise<ReadAnswer>
  /** Needs `r` on that version and on the current one. */
  readVersion(key: ResourceKey, versionId: number, access: Access): Promise<ReadAnswer>
  /** Needs `r`; newest first; only visible versions. */
  history(key: ResourceKey, query: HistoryQuery, access: Access): Promise<HistoryAnswer>
  /** Needs `s`; joins never reach what the Access hides; total and paging are exact under it. */
  search(query: SearchQuery, access: Access): Promise<SearchAnswer>
  /** Needs `c`. */
  create(submitted: Submitted, access: Access, options: WriteOptions): Promise<WriteAnswer>
  /** Needs `u` on the stored and on the submitted version. */
  update(
    key: ResourceKey,
    submitted: Submitted,
    access: Access,
    options: UpdateOptions,
  ): Promise<WriteAnswer>
  /** Needs `d`. */
  delete(key: ResourceKey, access: Access, options: DeleteOptions): Promise<WriteAnswer>
  /** All or nothing, in the order the caller gives; answers in the same order. */
  transaction(
    operations: readonly TransactionOperation[],
    access: Access,
  ): Promise<TransactionAnswer>
}

/** A body as the client sent it: the text is what is stored, the value what is judged. */
export interface Submitted {
  readonly text: string
  readonly resource: FhirResource
}

export type Absent = { readonly kind: 'absent'; readonly checks: readonly Check[] }

export type ReadAnswer =
  | { readonly kind: 'done'; readonly version: StoredVersion }
  /** Deleted, and the caller could see the last content version. */
  | { readonly kind: 'gone'; readonly version: StoredVersion }
  | Absent

export interface HistoryQuery {
  readonly count: number
  readonly sinceMs?: number
  readonly atMs?: number
  readonly after?: SearchPosition
}

export type HistoryAnswer =
  | {
      readonly kind: 'done'
      readonly versions: readonly StoredVersion[]
      readonly total: number
      readonly next?: SearchPosition
    }
  | Absent

export interface SearchAnswer {
  readonly matches: readonly StoredVersion[]
  readonly includes: readonly StoredVersion[]
  /** Exact for what the Access permits; missing when not asked for. */
  readonly total?: number
  /** Where the next page starts; missing on the last page. */
  readonly next?: SearchPosition
}

export interface WriteOptions {
  /** `If-None-Exist`: create only if nothing visible matches. */
  readonly ifNoneExist?: SearchQuery
}
export interface UpdateOptions {
  /** `If-Match`. */
  readonly ifMatch?: number
  /** `If-None-Match: *`: only as create. */
  readonly ifNoneMatchAny?: boolean
  /** Whether a new id may be chosen by the client (setting; and only where `u` is unrestricted). */
  readonly updateCreate: boolean
}
export interface DeleteOptions {
  readonly ifMatch?: number
}

export type WriteAnswer =
  | {
      readonly kind: 'done'
      readonly outcome:
        | 'created'
        | 'updated'
        | 'unchanged'
        | 'deleted'
        | 'already-deleted'
        | 'existing'
      readonly version: StoredVersion
      /** Whether the caller may read the result (`r`); otherwise it is answered without a body. */
      readonly readable: boolean
    }
  | Absent
  /** The caller can see the instance, or it is the caller's own body: the reason may be told. */
  | { readonly kind: 'refused'; readonly checks: readonly Check[] }
  | {
      readonly kind: 'conflict'
      readonly why: 'version' | 'exists' | 'several-matches'
      readonly currentVersionId?: number
    }
  /** The server does not let clients choose ids. */
  | { readonly kind: 'no-update-create' }

export type TransactionOperation =
  | {
      readonly kind: 'create'
      readonly id?: string
      readonly submitted: Submitted
      readonly options: WriteOptions
    }
  | {
      readonly kind: 'update'
      readonly key: ResourceKey
      readonly submitted: Submitted
      readonly options: UpdateOptions
    }
  | { readonly kind: 'delete'; readonly key: ResourceKey; readonly options: DeleteOptions }
  | { readonly kind: 'read'; readonly key: ResourceKey }
  | { readonly kind: 'search'; readonly query: SearchQuery }

export type TransactionAnswer =
  | { readonly kind: 'done'; readonly answers: readonly TransactionResult[] }
  /** Nothing was changed; `index` is the operation that stopped it. */
  | { readonly kind: 'failed'; readonly index: number; readonly answer: WriteAnswer | ReadAnswer }

export type TransactionResult =
  | WriteAnswer
  | ReadAnswer
  | ({ readonly kind: 'found' } & SearchAnswer)

/**
 * A search that this backend will not run: beyond a cap, or by something it cannot do exactly.
 * Nothing in the text depends on data that is hidden from the caller.
 */
export class SearchRefused extends Error {
  override readonly name = 'SearchRefused'
  readonly reason: 'too-costly' | 'not-supported'
  readonly fix: string

  constructor(reason: 'too-costly' | 'not-supported', message: string, fix: string) {
    super(message)
    this.reason = reason
    this.fix = fix
  }
}
