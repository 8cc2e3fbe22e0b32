import type { CheckedRegistration } from './check-registration.ts'

/** Whether a client proves who it is with a secret of ours. */
export function needsSecret(checked: CheckedRegistration): boolean {
  return !checked.public && checked.jwks === undefined && checked.jwksUri === undefined
}
