import type { User } from './user.ts'

/**
 * What a step of a sign-in led to. Only `done` signs in: a caller that knows no more than that
 * fails closed.
 */
export type SignIn =
  | { readonly kind: 'done'; readonly user: User /** RFC 8176 */; readonly amr: readonly string[] }
  /** The password was right; one of `user.secondFactors` is next. */
  | { readonly kind: 'second-factor'; readonly user: User }
  /** All was right; a password of the user's own is next: `Users.changePassword`. */
  | { readonly kind: 'password-change'; readonly user: User }
  /** Wrong, unknown, disabled: the answer and the work done are the same. */
  | { readonly kind: 'refused' }
  /** Too many attempts, or too many people at once; nothing was compared. */
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }
