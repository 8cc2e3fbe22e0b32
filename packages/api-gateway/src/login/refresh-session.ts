import { setTimeout as wait } from 'node:timers/promises'
import { LoginRefused, type ProviderTokens } from '@scopegate/oidc-login'
import type { SessionSecrets, StoredSession, WebSessionStore } from './web-session.ts'

/** `later`: the provider cannot be asked now; the session stays. */
export type Refreshed = 'done' | 'ended' | 'later'

export interface RefreshDeps {
  readonly store: WebSessionStore
  readonly refresh: (options: {
    readonly refreshToken: string
    readonly subject: string
  }) => Promise<ProviderTokens>
  readonly nowMs: () => number
  readonly onError: (error: unknown) => void
}

/** Longer than a refresh may take: only a process that died leaves its turn unused. */
const LEASE_MS = 30_000
const PAUSE_MS = 5000
const POLL_MS = 50

/**
 * New tokens for a session, once, whoever asks: requests of this process share one promise, those of
 * other processes wait for the one that has the turn. A refresh token is often good for one use, and
 * a second use ends all of them.
 *
 * @see RFC 9700 §4.14.2
 */
export function createSessionRefresh(
  deps: RefreshDeps,
): (session: StoredSession) => Promise<Refreshed> {
  const { store, nowMs } = deps
  const running = new Map<string, Promise<Refreshed>>()

  async function run(session: StoredSession): Promise<Refreshed> {
    const { id, generation } = session
    const giveUpMs = performance.now() + LEASE_MS
    while (performance.now() < giveUpMs) {
      if (await store.claimRefresh(id, generation, LEASE_MS)) return refreshNow(session)
      const now = await store.progress(id)
      if (now === undefined) return 'ended'
      if (now.generation !== generation) return 'done'
      if (now.retryMs > nowMs()) return 'later'
      await wait(POLL_MS)
    }
    return 'later'
  }

  async function refreshNow({
    id,
    generation,
    subject,
    secrets,
  }: StoredSession): Promise<Refreshed> {
    const { refreshToken } = secrets
    if (refreshToken === undefined) return 'later'
    let tokens: ProviderTokens
    try {
      tokens = await deps.refresh({ refreshToken, subject })
    } catch (error) {
      deps.onError(error)
      if (isFinal(error)) {
        await store.end(id)
        return 'ended'
      }
      await store.postponeRefresh(id, generation, PAUSE_MS)
      return 'later'
    }
    const fresh = refreshedSecrets(secrets, tokens)
    const isDone = await store.finishRefresh(
      id,
      generation,
      fresh,
      refreshTimeOf(tokens, fresh, nowMs()),
    )
    return isDone ? 'done' : 'ended'
  }

  return (session) => {
    const key = `${session.id} ${session.generation}`
    let refreshing = running.get(key)
    if (refreshing === undefined) {
      refreshing = run(session).finally(() => running.delete(key))
      running.set(key, refreshing)
    }
    return refreshing
  }
}

/** The provider has said no, or somebody else answers in its place: more tries change nothing. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof LoginRefused)) return false
  return (
    error.reason === 'upstream_code_refused' ||
    error.reason === 'tenant_not_allowed' ||
    error.reason === 'hosted_domain_not_allowed' ||
    error.reason.startsWith('id_token_')
  )
}

/** The secrets with what came anew; what did not come stays. */
function refreshedSecrets(before: SessionSecrets, tokens: ProviderTokens): SessionSecrets {
  const { accessTokenExpiresMs: _, ...kept } = before
  return { ...kept, ...secretsOf(tokens, before) }
}

/** What is kept of a token answer. */
export function secretsOf(
  tokens: ProviderTokens,
  otherwise: Pick<SessionSecrets, 'scope' | 'claims'>,
): SessionSecrets {
  const { accessToken, refreshToken, expiresAt, scope, claims } = tokens
  return {
    // Not mixed: a role that is gone at the provider is gone here.
    claims: claims ?? otherwise.claims,
    scope: scope ?? otherwise.scope,
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(expiresAt === undefined ? {} : { accessTokenExpiresMs: expiresAt * 1000 }),
  }
}

/** When tokens are refreshed: a fifth of their life before its end, at most a minute. */
export function refreshTimeOf(
  { expiresAt }: ProviderTokens,
  { refreshToken }: SessionSecrets,
  nowMs: number,
): number | undefined {
  if (refreshToken === undefined || expiresAt === undefined) return undefined
  const lifeMs = Math.max(0, expiresAt * 1000 - nowMs)
  return expiresAt * 1000 - Math.min(60_000, Math.floor(lifeMs / 5))
}
