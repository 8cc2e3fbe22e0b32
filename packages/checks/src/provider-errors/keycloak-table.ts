import type { ProviderErrorRow } from './provider-error.ts'
import type { ProviderSignal } from './provider-signal.ts'
import { SECRET_REFINEMENTS } from './secret-refinements.ts'

const KEYCLOAK = ['keycloak'] as const

const answer = (status: number, error: string, description?: string): ProviderSignal => ({
  preset: 'keycloak',
  status,
  error,
  ...(description === undefined ? {} : { description }),
})

/** Keycloak, by the words of its `error_description`. */
export const KEYCLOAK_ERRORS = {
  keycloak_client_credentials: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /invalid client or invalid client credentials/i }],
    cause:
      'Keycloak does not know {clientId} with {secret} in this realm, or expects another way of authentication than {authentication}',
    fix: 'compare realm and client id; copy the secret from Clients → Credentials; *Client Authenticator* there must be the method of the connection',
    refine: [
      ...SECRET_REFINEMENTS,
      {
        if: 'no-authentication',
        cause: 'client {clientId} is confidential in Keycloak, and the connection sends no secret',
        fix: 'set `authentication` of {connection}, with the secret from Clients → Credentials',
      },
    ],
    examples: [
      answer(401, 'unauthorized_client', 'Invalid client or Invalid client credentials'),
      answer(401, 'invalid_client', 'Invalid client or Invalid client credentials'),
    ],
  },
  keycloak_service_account_off: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /client not enabled to retrieve service account/i }],
    cause: 'client {clientId} may not use client credentials in Keycloak',
    fix: 'switch on Clients → {clientId} → Settings → *Service accounts roles*',
    examples: [
      answer(401, 'unauthorized_client', 'Client not enabled to retrieve service account'),
    ],
  },
  keycloak_client_type: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /(?:public client|bearer-only client)s? not allowed/i }],
    cause: 'client {clientId} is public or bearer-only in Keycloak, and so cannot authenticate',
    fix: 'switch on Clients → {clientId} → Settings → *Client authentication*',
    examples: [
      answer(401, 'unauthorized_client', 'Public client not allowed to retrieve service account'),
      answer(
        401,
        'unauthorized_client',
        'Bearer-only client not allowed to retrieve service account',
      ),
    ],
  },
  keycloak_service_account_user: {
    kind: 'administration',
    providers: KEYCLOAK,
    when: [
      { text: /associated service account for the client does not exist/i },
      { text: /\buser '[^']{0,200}' disabled/i },
    ],
    cause: 'the user `service-account-…` behind client {clientId} was deleted or disabled',
    fix: 'enable that user, or switch *Service accounts roles* off and on, which makes a new one (its roles must be given again)',
    examples: [
      answer(
        401,
        'invalid_request',
        'The associated service account for the client does not exist',
      ),
      answer(401, 'invalid_request', "User 'service-account-lab-reader' disabled"),
    ],
  },
  keycloak_scopes: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /invalid scopes: /i }],
    cause: 'one of {scopes} is not assigned to client {clientId} in Keycloak',
    fix: 'Clients → {clientId} → Client scopes → *Add client scope*, as optional or default; names are compared to the letter',
    examples: [answer(400, 'invalid_scope', 'Invalid scopes: system/Observation.rs')],
  },
  keycloak_assertion_audience: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /invalid token audience/i }, { text: /multiple audiences not allowed/i }],
    cause: 'Keycloak takes an assertion with exactly one audience, and got {assertionAudience}',
    fix: 'set the audience of the assertion to the issuer {issuer}; it must be the public name of the realm',
    examples: [
      answer(400, 'invalid_client', 'Invalid token audience'),
      answer(400, 'invalid_client', 'Multiple audiences not allowed'),
    ],
  },
  keycloak_assertion_reused: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /token reuse detected/i }, { text: /token jti claim is required/i }],
    cause:
      'Keycloak saw this assertion before, or it has no `jti`: something between repeats requests, or another program signs with the same ids',
    fix: 'each attempt here has an assertion of its own; look for a proxy that repeats requests, and for other users of client {clientId}',
    examples: [
      answer(400, 'invalid_client', 'Token reuse detected'),
      answer(400, 'invalid_client', 'Token jti claim is required'),
    ],
  },
  keycloak_assertion_times: {
    kind: 'clock',
    providers: KEYCLOAK,
    when: [
      { text: /token is not active/i, error: ['invalid_client', 'unauthorized_client'] },
      { text: /token was issued in the future/i },
      { text: /too far in the past/i },
      { text: /token expiration is too far in the future/i },
    ],
    cause: 'Keycloak finds the times of the assertion out of range; {skew}',
    fix: 'set the clocks right (NTP on both sides); keep the lifetime of the assertion at 60 seconds',
    examples: [
      answer(400, 'invalid_client', 'Token is not active'),
      answer(400, 'invalid_client', 'Token was issued in the future'),
      answer(
        400,
        'invalid_client',
        'Token expiration is too far in the future and iat claim not present in token',
      ),
      answer(400, 'invalid_client', 'Token was issued too far in the past to be used now'),
    ],
  },
  keycloak_assertion_signature: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [
      { text: /invalid signature algorithm/i },
      { text: /signature on jwt token failed validation/i },
      { text: /unable to load public key/i },
    ],
    cause:
      'Keycloak cannot verify the assertion: another key or algorithm ({algorithm}) is registered, or it cannot fetch our key set',
    fix: 'Clients → {clientId} → Credentials → *Signed Jwt*: the same algorithm; → Keys: this certificate, or a JWKS URL that Keycloak itself can reach, holding {keyId}',
    examples: [
      answer(400, 'invalid_client', 'Invalid signature algorithm'),
      answer(400, 'invalid_client', 'Signature on JWT token failed validation'),
      answer(400, 'invalid_client', 'Unable to load public key'),
    ],
  },
  keycloak_client_id_mixed: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /client_id parameter does not match sub claim/i }],
    cause: 'the parameter `client_id` and the `sub` of the assertion differ',
    fix: 'both come from `clientId` of {connection}: remove what changes either',
    examples: [answer(400, 'invalid_client', 'client_id parameter does not match sub claim')],
  },
  keycloak_session_ended: {
    kind: 'sign-in',
    providers: KEYCLOAK,
    when: [
      { text: /session not active/i },
      { text: /token is not active/i, error: ['invalid_grant'] },
      { text: /offline user session not found/i },
    ],
    cause: 'the session of the user at Keycloak has ended, and the refresh token with it',
    fix: 'sign in again: `scopegate connection authorize {connection}`; with the scope `offline_access` it outlives the session',
    examples: [
      answer(400, 'invalid_grant', 'Session not active'),
      answer(400, 'invalid_grant', 'Token is not active'),
      answer(400, 'invalid_grant', 'Offline user session not found'),
    ],
  },
  keycloak_refresh_reused: {
    kind: 'sign-in',
    providers: KEYCLOAK,
    when: [{ text: /maximum allowed refresh token reuse exceeded/i }],
    cause:
      'the refresh token was used before: by another program, or by a request whose answer was lost',
    fix: 'find the second program that holds this refresh token; then sign in again: `scopegate connection authorize {connection}`',
    examples: [answer(400, 'invalid_grant', 'Maximum allowed refresh token reuse exceeded')],
  },
  keycloak_session_killed: {
    kind: 'sign-in',
    providers: KEYCLOAK,
    when: [{ text: /session doesn't have required client/i }],
    cause: 'Keycloak has ended the session of this client, because a refresh token was used twice',
    fix: 'find the second program that holds this refresh token; then sign in again: `scopegate connection authorize {connection}`',
    examples: [answer(400, 'invalid_grant', "Session doesn't have required client")],
  },
  keycloak_stale_token: {
    kind: 'sign-in',
    providers: KEYCLOAK,
    when: [{ text: /stale token/i }],
    cause:
      'an administrator revoked all tokens up to now (not-before), or Keycloak lost its sessions in a restart',
    fix: 'sign in again: `scopegate connection authorize {connection}`',
    examples: [answer(400, 'invalid_grant', 'Stale token')],
  },
  keycloak_other_client: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [
      { text: /unmatching clients/i },
      { text: /token client and authorized client don't match/i },
    ],
    cause: 'the refresh token was issued to another client than {clientId}',
    fix: 'set `clientId` to the client it was issued to, or sign in again: `scopegate connection authorize {connection}`',
    examples: [
      answer(400, 'invalid_grant', 'Unmatching clients'),
      answer(
        400,
        'invalid_grant',
        "Invalid refresh token. Token client and authorized client don't match",
      ),
    ],
  },
  keycloak_account_setup: {
    kind: 'administration',
    providers: KEYCLOAK,
    when: [{ text: /account is not fully set up/i }],
    cause: 'the user has required actions open, such as a new password',
    fix: 'the user completes them by signing in once, or an administrator removes them: Users → Details → *Required user actions*',
    examples: [answer(400, 'invalid_grant', 'Account is not fully set up')],
  },
  keycloak_realm_missing: {
    kind: 'configuration',
    providers: KEYCLOAK,
    when: [{ text: /realm does not exist/i }, { status: [404], fact: 'no-error' }],
    cause: 'there is no realm at {endpoint}',
    fix: 'the address is `https://<host>/realms/<realm>`, or `https://<host>/auth/realms/<realm>` in old installations; realm names are compared to the letter',
    refine: [
      {
        if: 'auth-path',
        fix: 'since version 17 the address has no `/auth` in front: try `https://<host>/realms/<realm>`; realm names are compared to the letter',
      },
    ],
    examples: [
      answer(404, 'Realm does not exist'),
      { preset: 'keycloak', status: 404, contentType: 'text/html' },
    ],
  },
  keycloak_openid_unsupported: {
    kind: 'configuration',
    providers: ['keycloak', 'any'],
    when: [
      { text: /openid connect is not supported for (?:password and )?client credentials/i },
      { text: /#8859/ },
    ],
    cause:
      'the program that asked cannot take an `id_token` in an answer to client credentials, which Keycloak adds for the scope `openid`',
    fix: 'let {connection} get the token: here the `id_token` is put aside; give the program the access token only',
    examples: [
      {
        description:
          'ERROR #8859: Unsupported response to access token request: OpenID Connect is not supported for password and client credentials grant type',
      },
    ],
  },
} as const satisfies Record<string, ProviderErrorRow>
