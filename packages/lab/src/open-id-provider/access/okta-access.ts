import { stable } from '../flavours/flavour.ts'
import { type AccessFlavour, unknownScope, words } from './access-flavour.ts'
import { type ProblemTexts, refuseWith } from './token-problem.ts'

const NOT_CONFIGURED =
  'One or more scopes are not configured for the authorization server resource.'
const texts: ProblemTexts = {
  parameter_missing: () => [
    400,
    'invalid_request',
    "The token request must specify a 'grant_type'.",
  ],
  client_unknown: () => [401, 'invalid_client', "Invalid value for 'client_id' parameter."],
  client_public: () => [
    401,
    'invalid_client',
    'Client authentication failed. Either the client or the client credentials are invalid.',
  ],
  secret_missing: () => [401, 'invalid_client', 'No client credentials found.'],
  secret_wrong: () => [
    401,
    'invalid_client',
    'The client secret supplied for a confidential client is invalid.',
  ],
  secret_expired: () => [
    401,
    'invalid_client',
    'The client secret supplied for a confidential client is invalid.',
  ],
  assertion_audience: () => [
    401,
    'invalid_client',
    'The audience claim for client_assertion must be the endpoint invoked for the request.',
  ],
  assertion_names: () => [
    401,
    'invalid_client',
    "The 'iss' and 'sub' claims of client_assertion must be the client_id.",
  ],
  assertion_replayed: () => [
    401,
    'invalid_client',
    'The client_assertion token has already been used.',
  ],
  assertion_signature: () => [401, 'invalid_client', 'The client_assertion signature is invalid.'],
  assertion_time: () => [
    401,
    'invalid_client',
    'The client_assertion token has an expiration too far into the future.',
  ],
  assertion_type: () => [401, 'invalid_client', 'The client_assertion_type is invalid.'],
  code_invalid: () => [400, 'invalid_grant', 'The authorization code is invalid or has expired.'],
  dpop_missing: () => [400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.'],
  grant_not_allowed: () => [
    400,
    'unauthorized_client',
    'The client is not authorized to use the provided grant type. Configured grant types: [authorization_code].',
  ],
  grant_unsupported: () => [
    400,
    'unsupported_grant_type',
    'The authorization grant type is not supported by the authorization server.',
  ],
  redirect_mismatch: () => [
    400,
    'invalid_grant',
    "The 'redirect_uri' does not match the redirection URI used in the authorization request.",
  ],
  refresh_invalid: () => [400, 'invalid_grant', 'The refresh token is invalid or expired.'],
  refresh_reused: () => [400, 'invalid_grant', 'The refresh token is invalid or expired.'],
  resource_missing: () => [400, 'invalid_request', 'Bad request.'],
  resource_unknown: () => [400, 'invalid_request', 'Bad request.'],
  scope_form: () => [400, 'invalid_scope', NOT_CONFIGURED],
  scope_missing: () => [
    400,
    'invalid_scope',
    "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
  ],
  scope_unknown: () => [400, 'invalid_scope', NOT_CONFIGURED],
  tenant_missing: () => [400, 'invalid_request', 'Bad request.'],
  verifier_wrong: () => [400, 'invalid_grant', 'PKCE verification failed.'],
}
const refuse = refuseWith(texts)

/** Okta: the audience is the authorization server's, `scp` a list, the client in `cid`. */
export const oktaAccess: AccessFlavour = {
  seconds: 3600,
  paths: (base) => {
    const root = base.includes('/oauth2') ? base : `${base}/oauth2`
    return { introspection: `${root}/v1/introspect`, revocation: `${root}/v1/revoke` }
  },
  grants: ['client_credentials'],
  ask({ form, authorized, audience, scopes: known }) {
    const scopes = words(authorized?.scope ?? form.get('scope'))
    if (scopes.length === 0) return { problem: 'scope_missing' }
    const unknown = unknownScope(scopes, known)
    if (unknown !== undefined) return { problem: 'scope_unknown', value: unknown }
    const needsUser = authorized === undefined && scopes.includes('openid')
    if (needsUser) return { problem: 'scope_unknown', value: 'openid' }
    return { scopes, audience: audience ?? 'api://default' }
  },
  make: ({ client, user, scopes, audience, issuer, now, expiresAt, id }) => ({
    header: {},
    claims: {
      ver: 1,
      jti: `AT.${stable(id, 'base64url')}`,
      iss: issuer,
      aud: audience,
      iat: now,
      exp: expiresAt,
      cid: client.clientId,
      ...(user === undefined ? {} : { uid: `00u${stable(user.id).slice(0, 17)}` }),
      scp: scopes,
      ...(user === undefined ? {} : { auth_time: now }),
      sub: user?.email ?? client.clientId,
      ...(user?.fhirUser === undefined ? {} : { fhirUser: user.fhirUser }),
    },
  }),
  answer: ({ scopes }) => ({ scope: scopes.join(' ') }),
  refuse(problem) {
    const answer = refuse(problem)
    if (problem.problem !== 'client_unknown') return answer
    // Okta's own form, with which an unknown client is answered.
    return {
      status: answer.status,
      body: {
        errorCode: 'invalid_client',
        errorSummary: "Invalid value for 'client_id' parameter.",
        errorLink: 'invalid_client',
        errorId: `oae${stable(String(problem.now), 'base64url').slice(0, 22)}`,
        errorCauses: [],
      },
    }
  },
  notFound: (pathname) =>
    Response.json(
      {
        errorCode: 'E0000007',
        errorSummary: `Not found: Resource not found: ${pathname.split('/')[2] ?? ''} (AuthorizationServer)`,
        errorLink: 'E0000007',
        errorId: `oae${stable(pathname, 'base64url').slice(0, 22)}`,
        errorCauses: [],
      },
      { status: 404 },
    ),
  redirectPage: (_, clientId) =>
    `400 Bad Request. Your request resulted in an error. The 'redirect_uri' parameter must be a Login redirect URI in the client app settings: /admin/app/oidc_client/instance/${clientId}#tab-general`,
}
