import type { ProviderErrorRow } from './provider-error.ts'
import { BROKER_FINDINGS } from './provider-signal.ts'

type BrokerFinding = (typeof BROKER_FINDINGS)[number]

const row = (
  code: BrokerFinding,
  { kind, cause, fix }: Pick<ProviderErrorRow, 'kind' | 'cause' | 'fix'>,
): ProviderErrorRow => ({
  ...{ kind, cause, fix, providers: ['any'] },
  when: [{ finding: code }],
  examples: [{ finding: code }],
})

/** What this server says by itself; the words of a failure may be more exact than these. */
const ROWS = {
  connection_unknown: {
    kind: 'configuration',
    cause: 'there is no connection of that name',
    fix: 'add it to `connections`, or use one of those that are there',
  },
  scope_not_configured: {
    kind: 'configuration',
    cause: 'the connection is not for the scopes that were asked for',
    fix: 'add them to `scopes` of the connection, or ask for fewer',
  },
  sign_in_needed: {
    kind: 'sign-in',
    cause: 'nobody has signed in for {connection} yet, so there is no refresh token',
    fix: 'sign in once, on this machine: `scopegate connection authorize {connection}` (or with `--device`)',
  },
  refresh_token_lost: {
    kind: 'sign-in',
    cause: 'a process ended after it had sent the refresh token and before the answer was stored',
    fix: 'sign in again; or, if the provider certainly never saw the request, `scopegate connection retry {connection}`',
  },
  refresh_token_uncertain: {
    kind: 'sign-in',
    cause:
      'the refresh token was sent and no answer came: the provider may have replaced it, and using a replaced one again ends the sign-in',
    fix: 'sign in again; or, if the provider certainly never saw the request, `scopegate connection retry {connection}`',
  },
  refresh_token_missing: {
    kind: 'sign-in',
    cause:
      'the user signed in, and no refresh token came: the connection would end with this one token',
    fix: 'add `offline_access` to `scopes` (Google: `access_type: offline`), and allow refresh tokens for this client at the provider',
  },
  sign_in_not_offered: {
    kind: 'configuration',
    cause: 'nobody signs in for this connection: its grant has no user',
    fix: 'set `grant: authorization_code` or `grant: device_code`',
  },
  sign_in_unknown: {
    kind: 'sign-in',
    cause: 'this sign-in was not begun for this connection, or is too long ago',
    fix: 'begin again: `scopegate connection authorize {connection}`',
  },
  sign_in_answer_invalid: {
    kind: 'sign-in',
    cause: 'what the browser came back with is no answer to this sign-in',
    fix: 'begin the sign-in again, and finish it in the same browser',
  },
  redirect_uri_refused: {
    kind: 'configuration',
    cause:
      'users come back to an address on loopback, or to the one of the connection; this is neither',
    fix: 'use `http://127.0.0.1:<port>/callback`, or set `redirectUri` of the connection',
  },
  store_unavailable: {
    kind: 'temporary',
    cause: 'the database does not answer, and no token is in memory',
    fix: 'passes by itself; if it lasts, look at the database',
  },
  token_request_timeout: {
    kind: 'network',
    cause: 'the token endpoint did not answer in time',
    fix: 'look whether the token endpoint can be reached from here: name, route, firewall, proxy',
  },
  token_wait_timeout: {
    kind: 'temporary',
    cause: 'the token is still being fetched, and the caller has waited long enough',
    fix: 'try again; if it lasts, the token endpoint is slow',
  },
  token_expired_on_arrival: {
    kind: 'clock',
    cause: 'the token had expired when it came; {skew}',
    fix: 'set the clocks by NTP; if they agree, the provider hands out old tokens',
  },
  token_life_too_short: {
    kind: 'configuration',
    cause: 'more life was demanded than the tokens of this connection have',
    fix: 'demand less, or let the provider issue tokens that live longer',
  },
  request_failed: {
    kind: 'temporary',
    cause: 'the token request ended in an error of this server',
    fix: 'this is a defect: please report it',
  },
  key_unreachable: {
    kind: 'temporary',
    cause: 'the key of the connection is kept elsewhere, and cannot be reached now',
    fix: 'passes by itself; if it lasts, look at where the key is kept: the database, or the key service',
  },
  key_unusable: {
    kind: 'configuration',
    cause: 'the key of the connection cannot sign as `authentication` asks',
    fix: 'name another key, or change `alg`, `headers` or `audience` of its `authentication`',
  },
} as const satisfies Record<BrokerFinding, Pick<ProviderErrorRow, 'kind' | 'cause' | 'fix'>>

/** @see createTokenBroker */
export const BROKER_ERRORS = Object.fromEntries(
  BROKER_FINDINGS.map((code) => [code, row(code, ROWS[code])]),
) as Readonly<Record<BrokerFinding, ProviderErrorRow>>
