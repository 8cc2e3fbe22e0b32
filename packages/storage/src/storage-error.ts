/** Why storage could not be opened, or could not do what was asked. */
export type StorageProblem =
  /** No embedded PostgreSQL for this platform, or not installed. */
  | 'no-embedded-server'
  /** The embedded server cannot be run by this user or from this path. */
  | 'cannot-run-here'
  /** Another Scopegate holds the data directory. */
  | 'in-use'
  /** The data directory was written by another major version of PostgreSQL. */
  | 'other-major-version'
  /** The embedded server did not start. */
  | 'start-failed'
  /** The external server is older than the oldest supported version, or not UTF-8. */
  | 'unsupported-server'
  /** The tables were made by a newer Scopegate. */
  | 'newer-schema'
  /** The applied migrations are not a prefix of the known ones. */
  | 'foreign-schema'
  /** A backup archive is damaged, cut short, or not one of ours. */
  | 'bad-archive'
  /** Restore and move write into an empty database only. */
  | 'target-not-empty'
  /** The database cannot be reached now: killed, restarting, network. */
  | 'unavailable'
  /** The server has no free connection for us. */
  | 'too-many-connections'
  /** The disk of the database is full. */
  | 'disk-full'
  /** The database takes no writes: standby, or read-only by setting. */
  | 'read-only'
  /** The statement ran longer than allowed, or was cancelled. */
  | 'timeout'
  /** Concurrent transactions kept colliding; every retry was used. */
  | 'conflict'

/**
 * A failure of storage that callers may branch on by `problem`. The message says which value, where,
 * why and what to do; it never holds a password, a bound value or a row.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly problem: StorageProblem

  constructor(problem: StorageProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.problem = problem
  }
}
