import { stable } from '../flavours/flavour.ts'
import { type AccessFlavour, unknownScope, words } from './access-flavour.ts'
import { refuseWith } from './token-problem.ts'

/** Claims of one's own carry a namespace there. */
export const AUTH0_NAMESPACE = 'https://clinic.example/'

const UNAUTHORIZED = [401, 'access_denied', 'Unauthorized'] as const

/** Auth0: the API is named in `audience`; without it the token is one that only Auth0 reads. */
export const auth0Access: AccessFlavour = {
  seconds: 86_400,
  paths: () => ({ revocation: '/oauth/revoke' }),
  grants: ['client_credentials'],
  ask({ form, authorized, audience: ofTenant, apis, scopes: known }) {
    const scopes = words(authorized?.scope ?? form.get('scope'))
    const audience = authorized?.audience ?? form.get('audience') ?? ofTenant
    if (audience === undefined) {
      return authorized === undefined
        ? { problem: 'resource_missing' }
        : { scopes, audience: 'userinfo' }
    }
    const api = apis?.find(({ uri }) => uri === audience)
    if (apis !== undefined && api === undefined) {
      return { problem: 'resource_unknown', value: audience }
    }
    const unknown = unknownScope(scopes, known)
    if (unknown !== undefined) return { problem: 'scope_unknown', value: unknown }
    return { scopes, audience, ...(api === undefined ? {} : { api }) }
  },
  make({ client, user, scopes, roles, audience, issuer, origin, now, expiresAt }) {
    if (audience === 'userinfo') return 'opaque'
    const isSignIn = user !== undefined && scopes.includes('openid')
    return {
      header: { typ: 'JWT' },
      claims: {
        ...(user?.fhirUser === undefined ? {} : { [`${AUTH0_NAMESPACE}fhirUser`]: user.fhirUser }),
        iss: issuer,
        sub:
          user === undefined
            ? `${client.clientId}@clients`
            : `auth0|${stable(user.id).slice(0, 24)}`,
        aud: isSignIn ? [audience, `${origin}/userinfo`].flat() : audience,
        iat: now,
        exp: expiresAt,
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
        ...(user === undefined ? { gty: 'client-credentials' } : {}),
        azp: client.clientId,
        permissions: roles,
      },
    }
  },
  answer: ({ scopes }) => (scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  refuse: refuseWith({
    parameter_missing: ({ value }) => [
      400,
      'invalid_request',
      `Missing required parameter: ${value}`,
    ],
    client_unknown: () => UNAUTHORIZED,
    client_public: ({ value }) => [
      403,
      'unauthorized_client',
      `Grant type '${value}' not allowed for the client.`,
    ],
    secret_missing: () => UNAUTHORIZED,
    secret_wrong: () => UNAUTHORIZED,
    secret_expired: () => UNAUTHORIZED,
    assertion_audience: () => [
      401,
      'invalid_client',
      'Client authentication failed: invalid audience',
    ],
    assertion_names: () => [
      401,
      'invalid_client',
      'Client authentication failed: invalid issuer or subject',
    ],
    assertion_replayed: () => [
      401,
      'invalid_client',
      'Client authentication failed: jti has already been used',
    ],
    assertion_signature: () => [
      401,
      'invalid_client',
      'Client authentication failed: invalid signature',
    ],
    assertion_time: () => [401, 'invalid_client', 'Client authentication failed: expired'],
    assertion_type: () => [400, 'invalid_request', 'Invalid client_assertion_type'],
    code_invalid: () => [403, 'invalid_grant', 'Invalid authorization code'],
    dpop_missing: () => [400, 'invalid_dpop_proof', 'DPoP proof is required'],
    grant_not_allowed: ({ value }) => [
      403,
      'unauthorized_client',
      `Grant type '${value}' not allowed for the client.`,
    ],
    grant_unsupported: ({ value }) => [
      403,
      'unsupported_grant_type',
      `Unsupported grant type: ${value}`,
    ],
    redirect_mismatch: ({ value }) => [
      403,
      'unauthorized_client',
      `The redirect URI is wrong. You sent ${value}`,
    ],
    refresh_invalid: () => [403, 'invalid_grant', 'Unknown or invalid refresh token.'],
    refresh_reused: () => [403, 'invalid_grant', 'Unknown or invalid refresh token.'],
    resource_missing: () => [
      403,
      'access_denied',
      'No audience parameter was provided, and no default audience has been configured',
    ],
    resource_unknown: ({ value }) => [
      403,
      'access_denied',
      `Service not enabled within domain: ${value}`,
    ],
    scope_form: ({ value }) => [
      403,
      'access_denied',
      `Client has not been granted scopes: ${value}`,
    ],
    scope_missing: () => [403, 'access_denied', 'Client has not been granted scopes'],
    scope_unknown: ({ value }) => [
      403,
      'access_denied',
      `Client has not been granted scopes: ${value}`,
    ],
    tenant_missing: () => [404, 'Not found.'],
    verifier_wrong: () => [403, 'invalid_grant', 'Failed to verify code verifier'],
  }),
  redirectPage: () =>
    'Oops!, something went wrong. Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs.',
}
