import { createHash } from 'node:crypto'
import type { PasswordUser, VerifiedToken } from '@scopegate/oauth-model'

/** What stands where a token names its client; no client can be called so. */
export const BASIC_CLIENT = 'HTTP Basic'

/** How long what follows from the user is kept, as with a token that expires. */
const SECONDS = 60

/**
 * A user who sent a password, in the terms of a token: as if the user had signed in to an app with
 * `scope`, without a patient in context.
 * @param now epoch seconds
 */
export function userToken(
  user: PasswordUser,
  {
    issuer,
    scope,
    baseUrl,
    now,
  }: {
    readonly issuer: string
    readonly scope: string
    readonly baseUrl: string
    readonly now: number
  },
): VerifiedToken {
  const { id, fhirUser } = user
  return {
    issuer,
    subject: id,
    clientId: BASIC_CLIENT,
    audience: [baseUrl],
    scope,
    issuedAt: now,
    expiresAt: now + SECONDS,
    hasUser: true,
    ...(fhirUser === undefined ? {} : { fhirUser }),
    // Of what the user is, never of the password: it gets into traces and names cached rights.
    fingerprint: createHash('sha256')
      .update(JSON.stringify([issuer, id, fhirUser ?? null, scope]))
      .digest()
      .subarray(0, 16)
      .toString('base64url'),
  }
}
