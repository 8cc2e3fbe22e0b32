import type { ProviderErrorRow } from './provider-error.ts'
import type { ProviderSignal } from './provider-signal.ts'
import { SECRET_REFINEMENTS } from './secret-refinements.ts'

const ORACLE_HEALTH = ['oracle-health'] as const

/** Oracle Health gives its reasons as a URN in `error_uri`. */
const answer = (status: number, error: string, reason: string): ProviderSignal => ({
  preset: 'oracle-health',
  status,
  error,
  errorUri: `https://authorization.cerner.com/errors/urn%3Acerner%3Aerror%3Aauthorization-server%3Aoauth2%3Atoken%3A${reason}/instances/4f1c?client=lab&tenant=example`,
})

/** Oracle Health (Cerner). */
export const ORACLE_HEALTH_ERRORS = {
  oracle_health_authorization_header: {
    kind: 'configuration',
    providers: ORACLE_HEALTH,
    when: [{ errorUri: /token(?::|%3a)invalid-authorization-header/i }],
    cause:
      'Oracle Health wants the client id and secret as HTTP Basic, and got {authentication} or a header it cannot read',
    fix: 'set `authentication.method: client_secret_basic`',
    refine: SECRET_REFINEMENTS,
    examples: [answer(401, 'invalid_client', 'invalid-authorization-header')],
  },
  oracle_health_client_credentials: {
    kind: 'configuration',
    providers: ORACLE_HEALTH,
    when: [{ errorUri: /token(?::|%3a)invalid-client-credentials/i }],
    cause:
      'Oracle Health does not know {clientId} with {secret}: replaced, of another environment, or of an app of another type',
    fix: 'regenerate the secret of the system account in the console of that environment, and put it first in `secrets`',
    refine: SECRET_REFINEMENTS,
    examples: [answer(401, 'invalid_client', 'invalid-client-credentials')],
  },
  oracle_health_no_scopes: {
    kind: 'administration',
    providers: ORACLE_HEALTH,
    when: [{ errorUri: /token(?::|%3a)empty-scopes/i }],
    cause: 'none of {scopes} is registered for this app',
    fix: 'add them to the app in the developer console; v1 names (`system/Patient.read`) for apps registered with v1',
    refine: [
      {
        if: 'comma-scopes',
        cause: 'the scopes hold a comma, so they are one unknown scope: {scopes}',
        fix: 'write one scope per item of the list; they are sent with spaces between',
      },
    ],
    examples: [answer(400, 'invalid_scope', 'empty-scopes')],
  },
  oracle_health_tenant: {
    kind: 'configuration',
    providers: ORACLE_HEALTH,
    when: [{ errorUri: /token(?::|%3a)invalid-tenant/i }],
    cause:
      'Oracle Health has no tenant {tenant} at {endpoint}, or the app is not live in that domain',
    fix: 'compare the tenant id: sandbox and production have different ones; ask the hospital whether the app was turned on',
    examples: [answer(400, 'invalid_grant', 'invalid-tenant')],
  },
} as const satisfies Record<string, ProviderErrorRow>
