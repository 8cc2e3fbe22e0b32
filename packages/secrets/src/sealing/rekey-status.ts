/** A server on the same database, as it told last. */
export interface SealingServer {
  readonly name: string
  /** Ids of the master keys that it knows. */
  readonly knows: readonly string[]
  /** The one it seals with. */
  readonly seals: string
}

/** How far a change of the master key is; ids only, no keys. */
export interface RekeyStatus {
  /**
   * `done`: every value is sealed with the current key, others may be removed. `waiting`: not all
   * servers seal with it yet. `resealing`: values are sealed anew. `blocked`: some cannot be opened.
   */
  readonly state: 'done' | 'waiting' | 'resealing' | 'blocked'
  readonly current: string
  /** Still needed by every server. */
  readonly former: readonly string[]
  /** Values that the former keys have sealed. */
  readonly remaining: number
  readonly remainingByColumn: readonly { readonly column: string; readonly rows: number }[]
  /** Values that no key opens; they keep a change from ending. */
  readonly unreadable: number
  readonly servers: readonly SealingServer[]
  /** Names of the servers that do not seal with the current key yet. */
  readonly waitingFor: readonly string[]
}

/** A change of the master key that cannot begin; the message says what to do first. */
export class RekeyRefused extends Error {
  override readonly name = 'RekeyRefused'
}
