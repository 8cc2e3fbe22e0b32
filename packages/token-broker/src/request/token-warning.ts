/** What was odd about an answer, and did no harm. What they mean is in docs/reference/connections.md. */
export const TOKEN_WARNINGS = [
  /** An ID token came where no user signed in. It is neither used nor judged. */
  'unexpected_id_token_ignored',
  'token_type_missing',
  /** Such as `BearerToken`: taken as Bearer. */
  'token_type_unusual',
  /** A proof was sent, and the token is an ordinary bearer token. */
  'dpop_not_bound',
  'expires_in_missing',
  'expires_in_text',
  /** 0, negative, or no number: the lifetime counts as unknown. */
  'expires_in_unusable',
  /** Ten years or more; some servers send a time instead of a duration. */
  'expires_in_very_long',
  'scope_as_list',
  'scope_unusable',
  /** Some of what was asked for was not granted. */
  'scope_missing',
  /** A scope that this provider refuses was left out of the request. */
  'scope_not_sent',
  'refresh_token_unusable',
  /** Not `application/json`, and JSON or a form all the same. */
  'content_type_unusual',
  'form_encoded_answer',
  /** The first secret was refused, the second one taken. */
  'credential_fallback',
  /** The provider's clock differs from ours by more than 30 seconds. */
  'clock_skew',
] as const

export type TokenWarning = (typeof TOKEN_WARNINGS)[number]
