import type { Check } from '@scopegate/checks'

/** A user of this server whose password was found good. */
export interface PasswordUser {
  /** As in `sub`. */
  readonly id: string
  readonly username: string
  /** `Practitioner/1`, relative or absolute. */
  readonly fhirUser?: string
  readonly roles: readonly string[]
}

export type PasswordVerdict =
  | { readonly ok: true; readonly user: PasswordUser }
  | {
      readonly ok: false
      /**
       * The failed one: the same for a wrong password, an unknown and a disabled user; that more than
       * the password is needed is told only after the right one.
       */
      readonly check: Check
      /** There were too many failures: nothing was compared. */
      readonly retryAfterSeconds?: number
    }

/** Judges HTTP Basic credentials, and slows down guessing. @see RFC 7617 */
export interface PasswordAuthentication {
  /**
   * @param credentials what follows `Basic `
   * @param address where the request comes from, behind trusted proxies too
   */
  authenticateBasic(credentials: string, address: string): Promise<PasswordVerdict>
}
