/** What a lab provider can be told to do wrong, so that a client shows that it notices. */
export const LAB_FAULTS = {
  wrong_nonce: 'the ID token carries another nonce',
  no_nonce: 'the ID token carries no nonce',
  wrong_issuer: 'the ID token names another issuer',
  wrong_audience: 'the ID token is for another client',
  unsigned: 'the ID token has `alg` none and no signature',
  hmac_with_public_key: 'the ID token is signed by HS256 with the public key as the secret',
  forged: 'the ID token is signed with another key under the right `kid`',
  unknown_key: 'the ID token is signed with a key that the key set lacks',
  expired: 'the ID token expired an hour ago',
  no_id_token: 'the token response holds no ID token',
  swapped_state: 'the answer carries the state of somebody else',
  wrong_answer_issuer: 'the answer names another issuer in `iss`',
  no_answer_issuer: 'the answer has no `iss`, although the metadata promises it',
  other_user_info: 'userinfo speaks of another subject',
  other_discovery_issuer: 'the discovery document names another issuer',
  denied: 'the user declines',
  token_down: 'the token endpoint answers 503',
  down: 'everything answers 503',
  html: 'the token endpoint answers with a web page and status 200',
} as const

export type LabFault = keyof typeof LAB_FAULTS
