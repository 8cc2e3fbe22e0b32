import { seedOf } from './hold-grant.ts'
import { lifetimeOf } from './lifetime.ts'
import type { RenewalDeps } from './renew-token.ts'
import type { SignedInGrant } from './token-broker.ts'
import type { CacheEntry } from './token-cache.ts'

const POLL_MS = 100

/** Stores what a sign-in brought: the refresh token, and the access token if there is one. */
export async function keepSignIn(
  { target, keys, leaseMs }: CacheEntry,
  { token, refreshToken = token?.refreshToken, subject }: SignedInGrant,
  { store, sleep, nowMs, steadyMs }: RenewalDeps,
): Promise<void> {
  const { name, defaultLifetimeSeconds } = target.connection
  if (refreshToken !== undefined && keys.grant !== undefined) {
    const seed = seedOf(target.connection)
    await store.writeGrant(keys.grant, name, {
      refreshToken,
      // The configured one is older: it must not come back.
      ...(seed && { seed: seed.hash }),
      ...(subject !== undefined && { signedInAs: subject }),
      ...(token?.dpopKey && { dpopKey: token.dpopKey }),
    })
  }
  await store.openGates({ keys: [keys.client, keys.token] })
  if (token === undefined) return
  const life = lifetimeOf(token, { nowMs: nowMs(), defaultSeconds: defaultLifetimeSeconds })
  const { accessToken, type, scopes, dpopKey } = token
  const untilMs = steadyMs() + 2 * leaseMs
  for (;;) {
    const answer = await store.acquire({ key: keys.lease, durationMs: leaseMs })
    if (answer.kind === 'held') {
      await store.saveToken({
        ...{ lease: { key: keys.lease, fence: answer.fence }, connection: name },
        ...{ tokenKey: keys.token, leftMs: life.lifeMs },
        record: {
          ...{ accessToken, type, scopes, lifeMs: life.lifeMs },
          warnings: [...token.warnings, ...life.warnings],
          ...(dpopKey && { dpopKey }),
          fetchedAt: Math.floor(nowMs() / 1000),
        },
      })
      return
    }
    if (steadyMs() > untilMs) return
    await sleep(POLL_MS)
  }
}
