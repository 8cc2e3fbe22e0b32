import { createHash } from 'node:crypto'
import type { TokenFailure } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import type { GrantRecord, Lease, StoredGrant, TokenStore } from '../store/token-store.ts'
import type { TokenTarget } from '../token-request.ts'
import { notSignedIn, refreshTokenLost } from './broker-failures.ts'
import type { TokenKeys } from './token-keys.ts'

/** A refresh token that this lease may send. */
export interface HeldGrant {
  readonly kind: 'held'
  readonly key: string
  readonly record: GrantRecord
  readonly generation: number
  /** Sending it twice does no harm. */
  readonly isReusable: boolean
}

export interface SignedOut {
  readonly kind: 'signed-out'
  readonly failure: TokenFailure
}

/** Their refresh tokens stay in force when new ones are issued. */
const REUSABLE_AT: ReadonlySet<string> = new Set(['entra', 'google'])

/**
 * Reads the refresh token under the lease, and marks it as sent before it is: whoever finds the mark
 * of somebody who never came back knows that it may be used up.
 *
 * @returns `undefined` for grants without refresh tokens
 */
export async function holdGrant(
  ask: { readonly target: TokenTarget; readonly keys: TokenKeys; readonly lease: Lease },
  { store }: { readonly store: TokenStore },
): Promise<HeldGrant | SignedOut | undefined> {
  const key = ask.keys.grant
  if (key === undefined) return undefined
  const { connection } = ask.target
  const grant = await readOrSeed(key, ask.target, store)
  if (grant === undefined) return { kind: 'signed-out', failure: notSignedIn(connection.name) }
  const { record, generation, usedFence, signedOut } = grant
  if (signedOut) return { kind: 'signed-out', failure: signedOut }
  const isReusable = REUSABLE_AT.has(connection.preset) || record.rotates === false
  if (usedFence !== undefined && !isReusable) {
    const failure = refreshTokenLost()
    await store.signOutGrant(key, generation, failure)
    return { kind: 'signed-out', failure }
  }
  if (!(await store.markGrant(key, generation, ask.lease.fence))) {
    return holdGrant(ask, { store })
  }
  return { kind: 'held', key, record, generation, isReusable }
}

/** A configured refresh token begins; another one in its place begins anew. */
async function readOrSeed(
  key: string,
  { connection }: TokenTarget,
  store: TokenStore,
): Promise<StoredGrant | undefined> {
  const grant = await store.readGrant(key)
  const seed = seedOf(connection)
  if (seed === undefined || grant?.record.seed === seed.hash) return grant
  await store.writeGrant(key, connection.name, {
    refreshToken: seed.refreshToken,
    seed: seed.hash,
  })
  return store.readGrant(key)
}

/** The configured refresh token; a hash tells whether another one was put in its place. */
export function seedOf({ refreshToken }: Connection) {
  const text = refreshToken?.()
  if (text === undefined || text === '') return undefined
  return { refreshToken: text, hash: createHash('sha256').update(text).digest('base64url') }
}
