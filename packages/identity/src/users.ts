import type { SignIn } from './sign-in.ts'
import type { NewUser, User, UserAnswer, UserChanges } from './user.ts'

/** People who sign in here: who they are, and whether it is them. */
export interface Users {
  /**
   * Judges a password. The answer and the work are the same for a wrong password, an unknown and a
   * disabled user; which second factor is next is told only after the right password.
   */
  authenticate(attempt: {
    readonly username: string
    readonly password: string
    /** Of the browser, behind trusted proxies too. */
    readonly address: string
  }): Promise<SignIn>
  /** A code of the authenticator app; each is taken once. The caller has checked the password before. */
  verifyTotp(attempt: FactorAttempt): Promise<SignIn>
  /** A recovery code, which stands in for any second factor; each is taken once. */
  verifyRecoveryCode(attempt: FactorAttempt): Promise<SignIn>
  /** After `password-change`: the password that replaces the one-time one. Ends all sessions. */
  chooseFirstPassword(choice: {
    readonly userId: string
    readonly password: string
  }): Promise<PasswordChange>
  /** Of the account page: the former password is judged like a sign-in. Ends all sessions. */
  changePassword(change: {
    readonly userId: string
    readonly former: string
    readonly password: string
    readonly address: string
  }): Promise<PasswordChange>

  find(id: string): Promise<User | undefined>
  findByUsername(username: string): Promise<User | undefined>
  /** By user name. */
  list(query?: UserQuery): Promise<UserPage>

  /**
   * Without a password one is made, shown once, good for a week, and changed at the first sign-in; `null`:
   * the user signs in elsewhere only.
   */
  add(
    user: NewUser & { readonly password?: string | null },
  ): Promise<UserAnswer<{ readonly user: User; readonly oneTimePassword?: string }>>
  /** Disabling ends all sessions. */
  update(id: string, changes: UserChanges): Promise<UserAnswer<{ readonly user: User }>>
  /** Ends all sessions and the waits after wrong passwords; without a password one is made, as by `add`. */
  setPassword(
    id: string,
    choice?: { readonly password?: string; readonly mustChange?: boolean },
  ): Promise<UserAnswer<{ readonly user: User; readonly oneTimePassword?: string }>>
  disable(id: string): Promise<UserAnswer<{ readonly user: User }>>
  enable(id: string): Promise<UserAnswer<{ readonly user: User }>>
  /** With all that belongs to it here; grants and tokens are the caller's to revoke. */
  remove(id: string): Promise<UserAnswer<object>>

  /** Starts anew: an app that was set up before goes on being asked for until the new one is confirmed. */
  beginTotp(userId: string): Promise<UserAnswer<TotpSetup>>
  /** A code of the new app makes it the second factor. Recovery codes are shown once. */
  confirmTotp(
    userId: string,
    code: string,
  ): Promise<UserAnswer<{ readonly recoveryCodes: readonly string[] }>>
  /** The former ones work no more. */
  renewRecoveryCodes(
    userId: string,
  ): Promise<UserAnswer<{ readonly recoveryCodes: readonly string[] }>>
  /** Authenticator app, passkeys and recovery codes; ends all sessions. */
  removeSecondFactors(userId: string): Promise<UserAnswer<{ readonly user: User }>>

  /**
   * The user of a sign-in at somebody's issuer that was verified: found by issuer and subject, never
   * by e-mail or name; made at the first time. What the claims say replaces what is stored, and what
   * came from claims goes when they no longer say it; what an operator gave besides stays.
   */
  linkUpstream(login: UpstreamLogin): Promise<UpstreamAnswer>
}

export interface FactorAttempt {
  readonly userId: string
  readonly code: string
  readonly address: string
}

export type PasswordChange =
  | { readonly kind: 'done'; readonly user: User }
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }
  /** The new password cannot be used; `why` and `fix` are for the person who chose it. */
  | {
      readonly kind: 'unfit'
      /** For texts in other languages. */
      readonly reason: 'too-short' | 'too-long' | 'guessable' | 'same'
      readonly why: string
      readonly fix: string
    }

export interface UserQuery {
  /** Part of a user name, a name or an e-mail address. */
  readonly text?: string
  /** `next` of the page before. */
  readonly cursor?: string
  /** Default 100, at most 1000. */
  readonly count?: number
}

export interface UserPage {
  readonly users: readonly User[]
  readonly next?: string
}

export interface TotpSetup {
  /** Base32, for typing. */
  readonly secret: string
  /** `otpauth://totp/…`, for a QR code. */
  readonly uri: string
}

export interface UpstreamLogin {
  readonly issuer: string
  readonly subject: string
  /** As the claim mapping made them. */
  readonly claims?: {
    readonly username?: string
    readonly name?: string
    readonly email?: string
    readonly fhirUser?: string
    readonly roles?: readonly string[]
    readonly locale?: string
  }
}

export type UpstreamAnswer =
  | { readonly kind: 'done'; readonly user: User; readonly created: boolean }
  | { readonly kind: 'refused'; readonly reason: 'disabled' }
  /** The claim mapping gives what cannot be stored; `why` is for the operator. */
  | { readonly kind: 'refused'; readonly reason: 'bad-claims'; readonly why: string }
