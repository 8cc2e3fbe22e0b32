import { existsSync } from 'node:fs'
import { apache } from './apache.ts'
import { haproxy } from './haproxy.ts'
import { nginxLua, nginxProxy } from './nginx.ts'
import type { Peer } from './peer.ts'

export { PEER_SCOPE, type Peer, type PeerJob } from './peer.ts'
export type { PeerProgram } from './start-peer.ts'

export const PEERS: readonly Peer[] = [nginxProxy, nginxLua, haproxy, apache]

/** Debian packages that are missing for a peer; empty if it can run here. */
export function missingFor({ needs }: Peer): readonly string[] {
  const missing = Object.entries(needs).filter(([path]) => !existsSync(path))
  return [...new Set(missing.map(([, name]) => name))]
}
