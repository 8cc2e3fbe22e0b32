import type { KeyObject } from 'node:crypto'

/** A public key that verifies signatures. */
export interface VerificationKey {
  readonly kid?: string
  /** If the key set binds the key to one algorithm. */
  readonly alg?: string
  readonly kty: string
  readonly crv?: string
  /** If the set binds the key to one issuer; `{tenantid}` stands for a tenant (Entra). */
  readonly issuer?: string
  readonly key: KeyObject
}

/** Where the keys of one issuer (or client) come from. */
export interface KeySource {
  /**
   * The keys that may have signed: those that fit `alg`, and only those named `kid` if it is
   * given. Looks again, at a bounded rate, when there is none.
   *
   * @throws {KeysUnavailable} when the key set could not be had: that says nothing of the token.
   */
  find(alg: string, kid: string | undefined): Promise<readonly VerificationKey[]>
  /**
   * Whether the key is still in the set as far as is known; asked before a cached verdict is used.
   * Has a set that is due read again meanwhile.
   */
  holds(key: VerificationKey): boolean
  /** For messages: `https://idp.example/keys`, `file /etc/keys.json`. */
  readonly description: string
}

/** A key set could not be read. An outage, never the fault of a token: answer 503. */
export class KeysUnavailable extends Error {
  override readonly name: string = 'KeysUnavailable'
  readonly retryAfterSeconds: number
  /** Its row of the catalogue. */
  readonly code: 'keys_unavailable' | 'introspection_unavailable' = 'keys_unavailable'

  constructor(message: string, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(message, { cause: options.cause })
    this.retryAfterSeconds = options.retryAfterSeconds ?? 10
  }
}

/** An issuer could not be asked about an opaque token. */
export class IntrospectionUnavailable extends KeysUnavailable {
  override readonly name = 'IntrospectionUnavailable'
  override readonly code = 'introspection_unavailable'
}
