import type { PeerProgram } from './start-peer.ts'

/** What a peer guards, and whose tokens it takes. */
export interface PeerJob {
  /** Where its configuration and its logs go; made for it, and removed after it. */
  readonly folder: string
  readonly upstream: string
  readonly issuer: string
  readonly audience: string
  /** The one key of the issuer, RS256: its name, and where its public part is as PEM. */
  readonly kid: string
  readonly publicKeyFile: string
}

/** A program of somebody else that does the same work, as Debian packages it. */
export interface Peer {
  readonly name: string
  /** How often it verifies a token. */
  readonly verifies: 'each time' | 'never'
  /** What must be there: paths, each with the package that brings it. */
  readonly needs: Readonly<Record<string, string>>
  start(job: PeerJob): Promise<PeerProgram>
}

/** The scope that the peers ask for. */
export const PEER_SCOPE = 'read'
