/** What a user, or an EHR launch, has given a client. */
export interface GrantView {
  readonly id: string
  readonly clientId: string
  readonly userId: string
  readonly scopes: readonly string[]
  /** The patient in context. */
  readonly patient?: string
  /** Epoch seconds. */
  readonly createdAt: number
  readonly lastUsedAt?: number
  readonly expiresAt?: number
}

/** Grants as operators see and end them. */
export interface GrantDirectory {
  /** Those that are alive, newest first; at most `limit`, 200 by default. */
  list(query: {
    readonly userId?: string
    readonly clientId?: string
    readonly limit?: number
  }): Promise<readonly GrantView[]>
  /** Ends a grant with its tokens. @returns whether there was one. */
  revoke(grantId: string, reason: string): Promise<boolean>
  /** Ends every grant of a user. @returns how many there were. */
  revokeAllOf(userId: string, reason: string): Promise<number>
  /** Ends every grant of a client, remembered consents included. @returns how many there were. */
  revokeAllOfClient(clientId: string, reason: string): Promise<number>
}
