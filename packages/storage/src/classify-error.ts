import { StorageError, type StorageProblem } from './storage-error.ts'

/** SQLSTATEs that say the database, not the statement, has a problem. @see PostgreSQL Appendix A */
const PROBLEM_BY_SQLSTATE: ReadonlyMap<string, StorageProblem> = new Map([
  ['53100', 'disk-full'],
  ['58030', 'disk-full'],
  ['53000', 'unavailable'],
  ['53200', 'unavailable'],
  ['53300', 'too-many-connections'],
  ['53400', 'unavailable'],
  ['25006', 'read-only'],
  ['57014', 'timeout'],
  ['25P03', 'timeout'],
  ['55P03', 'timeout'],
  ['57P01', 'unavailable'],
  ['57P02', 'unavailable'],
  ['57P03', 'unavailable'],
  ['57P05', 'unavailable'],
  ['08000', 'unavailable'],
  ['08001', 'unavailable'],
  ['08003', 'unavailable'],
  ['08004', 'unavailable'],
  ['08006', 'unavailable'],
  ['08P01', 'unavailable'],
  ['40001', 'conflict'],
  ['40P01', 'conflict'],
])

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
])

/** What `pg` and `pg-pool` throw without a code. */
const UNREACHABLE_TEXT =
  /^Connection terminated|^Client (was closed|has encountered a connection error)|^timeout exceeded when trying to connect|^timeout expired|not queryable/

const MESSAGE: Readonly<Partial<Record<StorageProblem, string>>> = {
  'disk-full': 'the disk of the database is full: free space or enlarge it; reads go on',
  'too-many-connections':
    'the database has no free connection: raise its max_connections or lower the pool size',
  'read-only':
    'the database takes no writes: its disk is nearly full, or it is a standby or set read-only; reads go on',
  timeout: 'the statement was cancelled: it ran longer than allowed',
  unavailable: 'the database cannot be reached at the moment',
  conflict: 'concurrent changes of the same data kept colliding: try again',
}

/**
 * The storage problem behind an error thrown by `pg`, Kysely or this package; `undefined` when the
 * error is about the statement itself (a constraint, a bug) and must be thrown on.
 */
export function storageProblem(error: unknown): StorageProblem | undefined {
  if (error instanceof StorageError) return error.problem
  if (!(error instanceof Error)) return undefined
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string') {
    const known = PROBLEM_BY_SQLSTATE.get(code)
    if (known) {
      // 58030 is any I/O error of the server; only the full disk is one callers can name.
      return code === '58030' && !/No space left/i.test(error.message) ? 'unavailable' : known
    }
    // A missing file has a path, a missing socket an address.
    if (UNREACHABLE.has(code) && !('path' in error)) return 'unavailable'
    if (/No space left on device/i.test(error.message)) return 'disk-full'
    return undefined
  }
  return UNREACHABLE_TEXT.test(error.message) ? 'unavailable' : undefined
}

/**
 * Wraps what the database threw into a {@link StorageError} with a safe text, so that endpoints can
 * answer 503 or 507; returns every other error unchanged. The original stays as `cause`.
 */
export function asStorageError(error: unknown): unknown {
  if (error instanceof StorageError) return error
  const problem = storageProblem(error)
  if (!problem) return error
  return new StorageError(problem, MESSAGE[problem] ?? problem, { cause: error })
}

/** HTTP status of a storage problem: 507 for a full disk, 503 for what may pass. */
export function storageStatus(problem: StorageProblem): 503 | 507 {
  return problem === 'disk-full' ? 507 : 503
}
