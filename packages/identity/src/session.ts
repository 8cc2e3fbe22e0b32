/** A signed-in browser. */
export interface Session {
  /** Public handle, not the value of the cookie. */
  readonly id: string
  readonly userId: string
  /** @see RFC 8176 */
  readonly amr: readonly string[]
  /** Epoch seconds. */
  readonly authTime: number
  /** Epoch seconds: the earlier of the idle and the absolute limit. */
  readonly expiresAt: number
  /** Epoch seconds, at most a minute behind. */
  readonly seenAt: number
  /** Where the user signed in, if elsewhere. */
  readonly upstream?: UpstreamSession
  readonly address?: string
  /** The `User-Agent`, cut to 256 characters. */
  readonly device?: string
}

/** A session at somebody's issuer, so that its end can end ours. Never holds a token. */
export interface UpstreamSession {
  readonly issuer: string
  readonly subject: string
  /** @see OpenID Connect Back-Channel Logout 1.0 §2.1 */
  readonly sid?: string
}

export interface NewSession {
  readonly userId: string
  readonly amr: readonly string[]
  readonly upstream?: UpstreamSession
  readonly address?: string
  readonly userAgent?: string
  /** The cookie's value before: that session ends. */
  readonly replaces?: string
}
