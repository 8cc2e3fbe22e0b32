import type { FhirBackend } from '@scopegate/fhir-model'
import type { DirectoryUser, VerifiedToken } from '@scopegate/oauth-model'
import { type AccessPolicy, type CompiledAccess, compileAccess } from '@scopegate/smart-scopes'
import { findUserPatients } from '../find-user-patients.ts'

/** What a picker needs, under the user's own rights. */
const SCOPE = 'user/Patient.rs user/Encounter.rs'

/**
 * What this user may find: exactly what a token with these scopes and this `fhirUser` would permit.
 * The client is the issuer itself, so that no page link works for both.
 */
export async function compileUserAccess(
  user: DirectoryUser,
  deps: {
    readonly issuer: string
    readonly baseUrl: string
    readonly backend: FhirBackend
    readonly policy: AccessPolicy
  },
): Promise<CompiledAccess> {
  const token: VerifiedToken = {
    issuer: deps.issuer,
    subject: user.subject,
    clientId: deps.issuer,
    audience: [deps.baseUrl],
    scope: SCOPE,
    issuedAt: 0,
    expiresAt: 0,
    ...(user.fhirUser === undefined ? {} : { fhirUser: user.fhirUser }),
    fingerprint: '',
  }
  const userPatients = await findUserPatients(token, deps.backend, deps.baseUrl)
  return compileAccess({ ...token, userPatients }, deps.policy)
}
