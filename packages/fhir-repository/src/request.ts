import type {
  Access,
  FhirResource,
  Letter,
  Predicate,
  ResourceKey,
  SubmittedBody,
  VisibilityLookup,
} from '@scopegate/fhir-model'
import { allowedFor, anyOf, compilePredicate } from '@scopegate/fhir-model'
import { createLookup } from './lookup.ts'
import type { ParamNumbers } from './param-numbers.ts'
import { type RowReader, readRowAlone } from './read-rows.ts'
import type { Queryable } from './statement.ts'
import { contentOf, type StoredRow } from './stored-row.ts'

/** What all parts of the repository need. */
export interface Repository {
  readonly params: ParamNumbers
  /** Our own base URL, without a final slash. */
  readonly base: string | undefined
  readonly estimate: KeyEstimate
  readonly onMismatch: (mismatch: Mismatch) => void
  readonly limits: RepositoryLimits
}

/** SQL said that a row fits and the matcher says that it does not: a hash collision, or a fault. */
export interface Mismatch extends ResourceKey {
  readonly versionId: number
}

export interface RepositoryLimits {
  /** Instances that an inner search of a chain or `_has` may find. */
  readonly joined: number
  /** Visible resources that a `_has` looks through for them. */
  readonly looked: number
  /** Resources that `_include` and `_revinclude` may bring to one page. */
  readonly included: number
  /** Characters of all matches of a page, and as many of what they bring: beyond, it ends early. */
  readonly pageCharacters: number
  /**
   * How long all statements of a request that reads may take together, and each statement of a
   * transaction once its writes are made.
   */
  readonly answerMs: number
}

/** How many rows of a type are thought to hold a key; `undefined` when unknown. */
export interface KeyEstimate {
  rowsWith(key: string): number | undefined
  rowsOf(type: string): number | undefined
  /** Reads the statistics again, now. */
  refresh(): Promise<void>
}

/** One call of the backend: the connection it runs on, and the Access it runs under. */
export interface Request {
  readonly repository: Repository
  readonly on: Queryable
  readonly access: Access
  readonly lookup: VisibilityLookup
  /** The current row of an instance, whatever the Access. */
  readonly readRow: RowReader
}

export function startRequest(
  repository: Repository,
  on: Queryable,
  access: Access,
  readRow: RowReader = (key) => readRowAlone(on, key),
): Request {
  return { repository, on, access, lookup: createLookup(repository, on, access, 0), readRow }
}

const visible = new WeakMap<Access, Map<string, Predicate>>()

/** What is permitted on `type` under `r` or `s`: what "visible" means. One object per Access. */
export function visibleFor(access: Access, type: string): Predicate {
  let byType = visible.get(access)
  if (byType === undefined) {
    byType = new Map()
    visible.set(access, byType)
  }
  let predicate = byType.get(type)
  if (predicate === undefined) {
    predicate = anyOf(allowedFor(access, 'r', type), allowedFor(access, 's', type))
    byType.set(type, predicate)
  }
  return predicate
}

export const matchOptions = ({ base }: Pick<Repository, 'base'>): { readonly base?: string } =>
  base === undefined ? {} : { base }

/** Whether `letter` permits a resource: a stored one, or a body that was submitted. */
export async function isPermitted(
  request: Request,
  letter: Letter | 'visible',
  resource: FhirResource,
  submitted?: SubmittedBody,
): Promise<boolean> {
  const type = resource.resourceType
  const predicate = predicateFor(request.access, letter, type)
  const matcher = compilePredicate(type, predicate, matchOptions(request.repository))
  return matcher.permits(resource, request.lookup, submitted)
}

/** As `isPermitted`, for a stored version with content. An unrestricted type needs no look at it. */
export async function isRowPermitted(
  request: Request,
  letter: Letter | 'visible',
  row: StoredRow,
): Promise<boolean> {
  if (row.body === '') return false
  const { kind } = predicateFor(request.access, letter, row.type)
  if (kind === 'all') return true
  if (kind === 'none') return false
  return isPermitted(request, letter, contentOf(row))
}

const predicateFor = (access: Access, letter: Letter | 'visible', type: string): Predicate =>
  letter === 'visible' ? visibleFor(access, type) : allowedFor(access, letter, type)
