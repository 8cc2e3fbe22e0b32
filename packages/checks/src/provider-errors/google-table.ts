import type { ProviderErrorRow } from './provider-error.ts'
import type { ProviderSignal } from './provider-signal.ts'

const GOOGLE = ['google'] as const

const answer = (status: number, error: string, description?: string): ProviderSignal => ({
  preset: 'google',
  status,
  error,
  ...(description === undefined ? {} : { description }),
})

/** Google. @see https://developers.google.com/identity/protocols/oauth2/service-account#error-codes */
export const GOOGLE_ERRORS = {
  google_assertion_times: {
    kind: 'clock',
    providers: GOOGLE,
    when: [{ text: /token must be a short-lived token/i }],
    cause: 'Google finds `iat` or `exp` of the assertion out of range; {skew}',
    fix: 'set this clock right (NTP: `timedatectl` or `chronyc tracking`); an assertion may live one hour at most',
    examples: [
      answer(
        400,
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      ),
    ],
  },
  google_assertion_signature: {
    kind: 'configuration',
    providers: GOOGLE,
    when: [{ text: /invalid jwt signature/i }],
    cause:
      'Google does not know key {keyId} for service account {clientId}: deleted, replaced, or of another account',
    fix: 'make a new key of this service account (IAM → Service accounts → Keys), and import it',
    examples: [answer(400, 'invalid_grant', 'Invalid JWT Signature.')],
  },
  google_subject_unknown: {
    kind: 'configuration',
    providers: GOOGLE,
    when: [{ text: /invalid email or user id|account not found|not a valid email/i }],
    cause: 'Google has no account {subject}, or no service account {clientId}',
    fix: 'set `subject` to the primary address of a real mailbox of the domain (no alias, no group), and `clientId` to the address of the service account',
    examples: [answer(400, 'invalid_grant', 'Invalid email or User ID')],
  },
  google_delegation_missing: {
    kind: 'administration',
    providers: GOOGLE,
    when: [{ text: /unauthorized to retrieve access tokens using this method/i }],
    cause:
      'domain-wide delegation does not allow service account {clientId} to act for {subject} with {scopes}',
    fix: 'Admin console → Security → API controls → Domain-wide delegation: the *numeric* client id of the account, and exactly these scopes; consumer accounts (gmail.com) cannot be delegated',
    examples: [
      answer(
        401,
        'unauthorized_client',
        'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      ),
    ],
  },
  google_policy: {
    kind: 'administration',
    providers: GOOGLE,
    when: [
      {
        error: [
          'invalid_scope',
          'access_denied',
          'disabled_client',
          'org_internal',
          'admin_policy_enforced',
        ],
      },
    ],
    cause:
      'a rule of the Google project or of the Workspace does not allow it: a misspelt scope, a disabled client, or an app meant for another organisation',
    fix: 'compare {scopes} with the scopes on the consent screen and in API controls, and see whether the OAuth client is enabled',
    examples: [
      answer(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.'),
      answer(400, 'admin_policy_enforced'),
    ],
  },
  google_refresh_token_ended: {
    kind: 'sign-in',
    providers: GOOGLE,
    when: [{ text: /token has been expired or revoked/i }],
    cause:
      'the refresh token is not valid any more: revoked, password changed, more than 50 of this client, or seven days old while the consent screen is in *testing*',
    fix: 'publish the consent screen, then sign in again: `scopegate connection authorize {connection}`',
    examples: [answer(400, 'invalid_grant', 'Token has been expired or revoked.')],
  },
} as const satisfies Record<string, ProviderErrorRow>
