/** What was odd about a token or its answer. docs/reference/connections.md has them, too. */
interface TokenWarningMeaning {
  readonly meaning: string
  /** What to do; missing where it does no harm and nothing has to be done. */
  readonly fix?: string
}

const LIFE_FIX = 'set `defaultLifetimeSeconds` to what the provider really gives'

const MEANINGS = {
  unexpected_id_token_ignored: {
    meaning: 'an ID token came although no user signed in; it was left aside',
  },
  token_type_missing: { meaning: 'no token type was said; taken as Bearer' },
  token_type_unusual: { meaning: 'an unusual name of the token type; taken as Bearer' },
  dpop_not_bound: {
    meaning: 'a proof was sent, and an ordinary bearer token came',
    fix: 'have the client bound to DPoP at the provider, or leave out `dpop`',
  },
  expires_in_missing: { meaning: 'no lifetime was said', fix: LIFE_FIX },
  expires_in_text: { meaning: 'the lifetime came as text' },
  expires_in_unusable: { meaning: 'the lifetime is 0, negative or no number', fix: LIFE_FIX },
  expires_in_very_long: {
    meaning: 'a lifetime of ten years or more: some servers send a time in its place',
    fix: LIFE_FIX,
  },
  scope_as_list: { meaning: 'the scopes came as a list' },
  scope_unusable: { meaning: 'the scopes are neither text nor a list; taken as those asked for' },
  scope_missing: {
    meaning: 'not everything that was asked for was granted',
    fix: 'have the rest granted to the client at the provider, or leave it out of `scopes`',
  },
  scope_not_sent: { meaning: 'a scope that this provider refuses was not asked for' },
  refresh_token_unusable: { meaning: 'the refresh token is no text; left aside' },
  content_type_unusual: { meaning: 'the answer does not call itself JSON' },
  form_encoded_answer: { meaning: 'the answer is a form in place of JSON' },
  credential_fallback: {
    meaning: 'the first secret was refused, an older one taken',
    fix: 'see that the first of `secrets` is known to the provider',
  },
  clock_skew: {
    meaning: 'the clock of the provider differs by more than 30 seconds',
    fix: 'set this clock by NTP; if it is right, tell the provider',
  },
} as const satisfies Readonly<Record<string, TokenWarningMeaning>>

export type TokenWarning = keyof typeof MEANINGS

/** What was odd about an answer, and did no harm. */
export const TOKEN_WARNINGS = Object.keys(MEANINGS) as readonly TokenWarning[]

/** Of a token that the broker hands out although something is not as it should be. */
const HANDED_OUT: Readonly<Record<string, TokenWarningMeaning>> = {
  refresh_failed: {
    meaning: 'its renewal failed; it serves to its end',
    fix: '`scopegate connection show` says why',
  },
  shortfall: {
    meaning: 'it lives shorter than was asked for',
    fix: 'ask for less: the provider gives no longer one now',
  },
}

/** What a warning of a token means; `undefined` for one that this version does not know. */
export function explainTokenWarning(warning: string): TokenWarningMeaning | undefined {
  const known: Readonly<Record<string, TokenWarningMeaning>> = { ...MEANINGS, ...HANDED_OUT }
  return Object.hasOwn(known, warning) ? known[warning] : undefined
}
