import type { ProviderErrorRow } from './provider-error.ts'

/** Epic, which says `invalid_client` for every cause, and nothing more. */
export const EPIC_ERRORS = {
  epic_invalid_client: {
    kind: 'configuration',
    providers: ['epic'],
    when: [{ error: ['invalid_client'], fact: 'no-description' }],
    cause:
      'Epic refuses the client, and tells no cause; sent were client id {clientId}, key {keyId}, {algorithm}, audience {assertionAudience}; {skew}',
    fix: 'check in this order: is it the client id of this environment (sandbox and production differ); was the app saved more than a day ago (hospitals sync slowly); is {keyId} in the key set that is registered, and can Epic fetch it; is the audience exactly the token endpoint of this hospital',
    refine: [
      {
        if: 'clock-off',
        kind: 'clock',
        cause:
          'Epic refuses the client, and tells no cause; {skew}, which makes every assertion invalid',
        fix: 'set this clock right (NTP: `timedatectl` or `chronyc tracking`), then `scopegate connection retry`',
      },
    ],
    examples: [
      { preset: 'epic', status: 400, error: 'invalid_client' },
      { preset: 'epic', status: 400, error: 'invalid_client', description: 'null' },
    ],
  },
} as const satisfies Record<string, ProviderErrorRow>
