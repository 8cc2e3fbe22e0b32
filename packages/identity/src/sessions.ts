import type { NewSession, Session } from './session.ts'
import type { User } from './user.ts'

/** Who is signed in, in which browser. Only hashes of cookies are stored. */
export interface Sessions {
  /** A new session with a new token, whatever the browser had before. */
  start(session: NewSession): Promise<{ readonly token: string; readonly session: Session }>
  /**
   * The session of a cookie's value, while it lives and its user may sign in. Keeps it from going
   * idle.
   */
  find(token: string): Promise<Session | undefined>
  /** The same with its user, in one question: every page of a sign-in needs both. */
  findSignedIn(
    token: string,
  ): Promise<{ readonly session: Session; readonly user: User } | undefined>
  /** Does not keep it from going idle. */
  isAlive(sessionId: string): Promise<boolean>
  end(sessionId: string): Promise<void>
  /** @returns how many */
  endAllOf(userId: string, options?: { readonly except?: string }): Promise<number>
  /** Those that a sign-in elsewhere began (OpenID Connect Back-Channel Logout). @returns how many */
  endUpstream(upstream: {
    readonly issuer: string
    readonly subject?: string
    readonly sid?: string
  }): Promise<number>
  /** Those of the same kind that live, the latest used first; to end each with what belongs to it. */
  listUpstream(upstream: {
    readonly issuer: string
    readonly subject?: string
    readonly sid?: string
  }): Promise<readonly Session[]>
  /** Those that live, the latest used first. */
  listOf(userId: string): Promise<readonly Session[]>
}
