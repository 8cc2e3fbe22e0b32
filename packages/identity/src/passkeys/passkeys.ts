import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import type { SignIn } from '../sign-in.ts'
import type { UserAnswer } from '../user.ts'

export interface Passkey {
  readonly id: string
  readonly name: string
  /** Epoch seconds. */
  readonly createdAt: number
  readonly lastUsedAt?: number
}

/**
 * Passkeys, as a second factor or in place of the password. Options go to the browser as they are;
 * what it answers, as JSON, comes back to `finish…`. Each challenge is answered once, in five
 * minutes.
 *
 * @see Web Authentication Level 3
 */
export interface Passkeys {
  /** The caller knows that it is the user. */
  beginRegistration(
    userId: string,
  ): Promise<UserAnswer<{ readonly options: PublicKeyCredentialCreationOptionsJSON }>>
  /** With the first second factor come recovery codes, shown once. */
  finishRegistration(registration: {
    readonly userId: string
    /** What the user calls the device. */
    readonly name: string
    readonly response: unknown
  }): Promise<UserAnswer<{ readonly passkey: Passkey; readonly recoveryCodes?: readonly string[] }>>
  /** With a user: the second factor after the password. Without: the passkey says who it is. */
  beginSignIn(options?: {
    readonly userId?: string
  }): Promise<PublicKeyCredentialRequestOptionsJSON>
  /** `userId` as it was at `beginSignIn`. */
  finishSignIn(attempt: {
    readonly userId?: string
    readonly response: unknown
    readonly address: string
  }): Promise<SignIn>
  listOf(userId: string): Promise<readonly Passkey[]>
  /** @returns whether there was one. Recovery codes go with the last second factor. */
  remove(userId: string, passkeyId: string): Promise<boolean>
}
