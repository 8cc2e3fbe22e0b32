import { type AccessFlavour, words } from './access-flavour.ts'
import { refuseWith } from './token-problem.ts'

/** Google: opaque tokens, told by tokeninfo; service accounts send an assertion as their grant. */
export const googleAccess: AccessFlavour = {
  seconds: 3599,
  paths: () => ({ tokenInfo: '/tokeninfo', revocation: '/revoke' }),
  grants: ['jwt-bearer'],
  ask({ form, authorized, client }) {
    const scopes = words(authorized?.scope ?? form.get('scope')).map((scope) =>
      scope === 'email' || scope === 'profile'
        ? `https://www.googleapis.com/auth/userinfo.${scope}`
        : scope,
    )
    if (scopes.length === 0) return { problem: 'scope_missing' }
    return { scopes, audience: client.clientId }
  },
  make: () => 'opaque',
  opaquePrefix: 'ya29.',
  answer: ({ scopes }) => ({ scope: scopes.join(' ') }),
  refuse: refuseWith({
    parameter_missing: ({ value }) => [
      400,
      'invalid_request',
      `Missing required parameter: ${value}`,
    ],
    client_unknown: () => [401, 'invalid_client', 'The OAuth client was not found.'],
    client_public: () => [401, 'invalid_client', 'Unauthorized'],
    secret_missing: () => [400, 'invalid_request', 'client_secret is missing.'],
    secret_wrong: () => [401, 'invalid_client', 'The provided client secret is invalid.'],
    secret_expired: () => [401, 'disabled_client', 'The OAuth client was disabled.'],
    assertion_audience: () => [
      400,
      'invalid_grant',
      'Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token',
    ],
    assertion_names: () => [400, 'invalid_grant', 'Invalid email or User ID'],
    assertion_replayed: () => [400, 'invalid_grant', 'Invalid JWT: The token was used before.'],
    assertion_signature: () => [400, 'invalid_grant', 'Invalid JWT Signature.'],
    assertion_time: () => [
      400,
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    ],
    assertion_type: () => [400, 'invalid_request', 'Invalid client_assertion_type'],
    code_invalid: () => [400, 'invalid_grant', 'Malformed auth code.'],
    dpop_missing: () => [400, 'invalid_request', 'Bad Request'],
    grant_not_allowed: () => [
      401,
      'unauthorized_client',
      'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
    ],
    grant_unsupported: ({ value }) => [
      400,
      'unsupported_grant_type',
      `Invalid grant_type: ${value}`,
    ],
    redirect_mismatch: () => [400, 'redirect_uri_mismatch', 'Bad Request'],
    refresh_invalid: () => [400, 'invalid_grant', 'Token has been expired or revoked.'],
    refresh_reused: () => [400, 'invalid_grant', 'Token has been expired or revoked.'],
    resource_missing: () => [400, 'invalid_request', 'Bad Request'],
    resource_unknown: () => [400, 'invalid_request', 'Bad Request'],
    scope_form: ({ value }) => [
      400,
      'invalid_scope',
      `Invalid OAuth scope or ID token audience provided: ${value}`,
    ],
    scope_missing: () => [400, 'invalid_scope', 'Empty or missing scope not allowed.'],
    scope_unknown: ({ value }) => [
      400,
      'invalid_scope',
      `Some requested scopes were invalid. {invalid=[${value}]}`,
    ],
    tenant_missing: () => [400, 'invalid_request', 'Bad Request'],
    verifier_wrong: () => [400, 'invalid_grant', 'Invalid code verifier.'],
  }),
  redirectPage: (redirectUri) =>
    `Error 400: redirect_uri_mismatch. You can't sign in because this app sent an invalid request. redirect_uri=${redirectUri}`,
}
