/** What a session holds that nobody but this server may read. */
export interface SessionSecrets {
  readonly claims: Readonly<Record<string, unknown>>
  /** Space-separated, as granted. */
  readonly scope: string
  readonly accessToken: string
  /** Epoch milliseconds; missing where the provider does not say. */
  readonly accessTokenExpiresMs?: number
  readonly refreshToken?: string
  /** The ID token for logout, sealed by itself. */
  readonly logoutHint?: string
}

/** A session as one request finds it. */
export interface StoredSession {
  readonly id: string
  readonly issuer: string
  readonly clientId: string
  readonly subject: string
  readonly generation: number
  /** Epoch milliseconds. */
  readonly refreshMs: number | undefined
  /** Epoch milliseconds: idle and absolute limit, whichever is earlier. */
  readonly endsMs: number
  readonly secrets: SessionSecrets
}

export interface NewSession {
  readonly issuer: string
  readonly clientId: string
  readonly subject: string
  readonly sid?: string
  readonly secrets: SessionSecrets
  readonly refreshMs: number | undefined
  /** Epoch milliseconds. */
  readonly expiresMs: number
  readonly idleMs: number
  /** The value of a cookie whose session ends with this start. */
  readonly replaces: string | undefined
}

/** Which sessions a provider has ended. */
export interface EndedAtProvider {
  readonly issuer: string
  /** Missing where the session alone is known. */
  readonly clientId?: string
  readonly subject?: string
  readonly sid?: string
}

export interface WebSessionStore {
  /** @returns the value of the cookie, which is not stored */
  start(session: NewSession): Promise<{ readonly token: string; readonly id: string }>
  /** The session that a cookie opens, if it lives; seen now. What cannot be unsealed has ended. */
  find(token: string): Promise<StoredSession | undefined>
  isAlive(id: string): Promise<boolean>
  /** How far the refresh of a session is; `undefined` when it has ended. */
  progress(
    id: string,
  ): Promise<{ readonly generation: number; readonly retryMs: number } | undefined>
  /** Takes the turn to refresh, if nobody has it. */
  claimRefresh(id: string, generation: number, leaseMs: number): Promise<boolean>
  finishRefresh(
    id: string,
    generation: number,
    secrets: SessionSecrets,
    refreshMs: number | undefined,
  ): Promise<boolean>
  /** Gives the turn back; the provider is not asked again for so long. */
  postponeRefresh(id: string, generation: number, pauseMs: number): Promise<void>
  end(id: string): Promise<void>
  endByToken(token: string): Promise<StoredSession | undefined>
  /** @returns how many there were */
  endAtProvider(ended: EndedAtProvider): Promise<number>
}
