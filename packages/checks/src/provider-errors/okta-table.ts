import type { ProviderErrorRow } from './provider-error.ts'
import type { ProviderSignal } from './provider-signal.ts'

const OKTA = ['okta'] as const

const answer = (status: number, error: string, description: string): ProviderSignal => ({
  preset: 'okta',
  status,
  error,
  description,
})

/** Okta; the rows about DPoP hold wherever it is spoken. @see RFC 9449 §7.1 */
export const OKTA_ERRORS = {
  okta_dpop_required: {
    kind: 'configuration',
    providers: ['okta', 'any'],
    when: [{ error: ['invalid_dpop_proof'] }],
    cause:
      'the provider takes no request without a proof of possession (DPoP); at Okta this is the default of new API service apps',
    fix: 'set `dpop: true` on {connection}, or untick *Require Demonstrating Proof of Possession* in the app',
    refine: [
      {
        if: 'clock-off',
        kind: 'clock',
        cause: 'the provider refuses the proof of possession (DPoP); {skew}',
        fix: 'set this clock right (NTP: `timedatectl` or `chronyc tracking`)',
      },
    ],
    examples: [answer(400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.')],
  },
  okta_dpop_nonce: {
    kind: 'temporary',
    providers: ['okta', 'any'],
    when: [{ error: ['use_dpop_nonce'] }],
    cause: 'the provider wants its nonce in the proof of possession, and wanted another one again',
    fix: 'nothing: the nonce is sent with the next attempt',
    examples: [answer(400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.')],
  },
  okta_assertion_lifetime: {
    kind: 'configuration',
    providers: OKTA,
    when: [{ text: /client_assertion token has an expiration too far into the future/i }],
    cause: 'the assertion lives an hour or more, by the clock of Okta; {skew}',
    fix: 'set the lifetime of the assertion to 300 seconds',
    refine: [
      {
        if: 'clock-off',
        kind: 'clock',
        fix: 'set this clock right (NTP: `timedatectl` or `chronyc tracking`)',
      },
    ],
    examples: [
      answer(
        401,
        'invalid_client',
        'The client_assertion token has an expiration too far into the future.',
      ),
    ],
  },
  okta_scope_or_policy: {
    kind: 'administration',
    providers: OKTA,
    when: [
      { text: /one or more scopes are not configured/i },
      { text: /policy evaluation failed/i },
      { error: ['access_denied'] },
    ],
    cause:
      'no scope or no access policy of the authorization server at {issuer} covers {clientId} with {scopes}',
    fix: 'Security → API → that authorization server: add the scope, and a policy rule for this client and grant; the org server (`/oauth2/v1`) has `okta.*` scopes only',
    examples: [
      answer(
        400,
        'invalid_scope',
        'One or more scopes are not configured for the authorization server resource.',
      ),
      answer(
        400,
        'access_denied',
        'Policy evaluation failed for this request, please check the policy configurations.',
      ),
    ],
  },
} as const satisfies Record<string, ProviderErrorRow>
