/** A person who signs in here; never with a password or another secret. */
export interface User {
  /** The `sub` of tokens: random, and with a prefix, so that it never equals a client id. */
  readonly id: string
  readonly username: string
  readonly name: string
  /** For display; never a key, and not verified. */
  readonly email?: string
  /** `Practitioner/1` or an absolute URL. */
  readonly fhirUser?: string
  readonly roles: readonly string[]
  readonly disabled: boolean
  /** BCP 47, such as `de-AT`. */
  readonly locale?: string
  readonly secondFactors: readonly SecondFactor[]
  /** No sign-in is done before the user has chosen a password of their own. */
  readonly mustChangePassword: boolean
  /** `false`: signs in at somebody's issuer only. */
  readonly hasPassword: boolean
  /** Epoch seconds. */
  readonly createdAt: number
}

export type SecondFactor = 'totp' | 'passkey'

export interface NewUser {
  readonly username: string
  /** Default: the user name. */
  readonly name?: string
  readonly email?: string
  readonly fhirUser?: string
  readonly roles?: readonly string[]
  readonly locale?: string
  readonly disabled?: boolean
}

/** What an update may change; `null` clears. */
export interface UserChanges {
  readonly username?: string
  readonly name?: string
  readonly email?: string | null
  readonly fhirUser?: string | null
  readonly roles?: readonly string[]
  readonly locale?: string | null
  readonly disabled?: boolean
}

/**
 * A change of a user that was made, or why not. `why` and `fix` are for people and hold no
 * password.
 */
export type UserAnswer<Value> =
  | ({ readonly ok: true } & Value)
  | {
      readonly ok: false
      readonly status: 400 | 404 | 409 | 503
      readonly why: string
      readonly fix?: string
    }
