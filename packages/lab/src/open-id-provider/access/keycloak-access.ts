import { claim, namesOf, stableUuid } from '../flavours/flavour.ts'
import { type AccessFlavour, type LabGrant, unknownScope, words } from './access-flavour.ts'
import { refuseWith } from './token-problem.ts'

const BAD_CLIENT = [401, 'invalid_client', 'Invalid client or Invalid client credentials'] as const

/** Keycloak: `aud` is what mappers put there, and `openid` brings an ID token even to apps. */
export const keycloakAccess: AccessFlavour = {
  seconds: 300,
  paths: (base) => ({
    introspection: `${base}/protocol/openid-connect/token/introspect`,
    revocation: `${base}/protocol/openid-connect/revoke`,
  }),
  grants: ['client_credentials'],
  ask({ form, authorized, audience, scopes: known, client }) {
    const asked = words(authorized?.scope ?? form.get('scope'))
    const unknown = unknownScope(asked, known)
    if (unknown !== undefined) return { problem: 'scope_unknown', value: asked.join(' ') }
    // The default client scopes are there whether asked for or not.
    const scopes = [...new Set([...asked, 'profile', 'email'])]
    return { scopes, audience: client.audience ?? audience ?? 'account' }
  },
  make: (grant) => ({ header: { typ: 'JWT' }, claims: claimsOf(grant) }),
  answer: ({ sessionId, scopes, user }) => ({
    refresh_expires_in: user === undefined ? 0 : 1800,
    'not-before-policy': 0,
    ...claim('session_state', sessionId),
    scope: scopes.join(' '),
  }),
  assertions: { oneAudience: true, needsId: true, maxSeconds: 3600 },
  idTokenForApps: true,
  refuse: refuseWith({
    parameter_missing: ({ value }) => [400, 'invalid_request', `Missing form parameter: ${value}`],
    client_unknown: () => BAD_CLIENT,
    client_public: () => [
      401,
      'unauthorized_client',
      'Public client not allowed to retrieve service account',
    ],
    secret_missing: () => BAD_CLIENT,
    secret_wrong: () => BAD_CLIENT,
    secret_expired: () => BAD_CLIENT,
    assertion_audience: () => [400, 'invalid_client', 'Invalid token audience'],
    assertion_names: () => [400, 'invalid_client', 'client_id parameter does not match sub claim'],
    assertion_replayed: () => [400, 'invalid_client', 'Token reuse detected'],
    assertion_signature: () => [400, 'invalid_client', 'Signature on JWT token failed validation'],
    assertion_time: () => [400, 'invalid_client', 'Token is not active'],
    assertion_type: () => [
      400,
      'invalid_client',
      'Parameter client_assertion_type has invalid value',
    ],
    code_invalid: () => [400, 'invalid_grant', 'Code not valid'],
    dpop_missing: () => [400, 'invalid_request', 'DPoP proof is missing'],
    grant_not_allowed: () => [
      401,
      'unauthorized_client',
      'Client not enabled to retrieve service account',
    ],
    grant_unsupported: () => [400, 'unsupported_grant_type', 'Unsupported grant_type'],
    redirect_mismatch: () => [400, 'invalid_grant', 'Incorrect redirect_uri'],
    refresh_invalid: () => [400, 'invalid_grant', "Session doesn't have required client"],
    refresh_reused: () => [400, 'invalid_grant', 'Maximum allowed refresh token reuse exceeded'],
    resource_missing: () => [400, 'invalid_request', 'Missing parameter: resource'],
    resource_unknown: ({ value }) => [400, 'invalid_target', `Unknown resource ${value}`],
    scope_form: ({ value }) => [400, 'invalid_scope', `Invalid scopes: ${value}`],
    scope_missing: () => [400, 'invalid_scope', 'Missing parameter: scope'],
    scope_unknown: ({ value }) => [400, 'invalid_scope', `Invalid scopes: ${value}`],
    tenant_missing: () => [404, 'Realm does not exist'],
    verifier_wrong: () => [400, 'invalid_grant', 'PKCE verification failed: Code mismatch'],
  }),
  notFound: (pathname) =>
    Response.json(
      { error: pathname.includes('/realms/') ? 'Realm does not exist' : 'HTTP 404 Not Found' },
      { status: 404 },
    ),
  redirectPage: () => 'We are sorry... Invalid parameter: redirect_uri',
}

function claimsOf({
  client,
  user,
  scopes,
  roles,
  audience,
  issuer,
  sessionId,
  now,
  ...grant
}: LabGrant) {
  const { clientId } = client
  return {
    exp: grant.expiresAt,
    iat: now,
    ...(user === undefined ? {} : { auth_time: now }),
    jti: `${user === undefined ? 'trrtcc' : 'onrtac'}:${stableUuid(grant.id)}`,
    iss: issuer,
    aud: audience,
    sub: stableUuid(user?.id ?? `service-account-${clientId}`),
    typ: 'Bearer',
    azp: clientId,
    ...claim('sid', sessionId),
    acr: '1',
    'allowed-origins': ['/*'],
    realm_access: { roles: ['default-roles-lab', 'offline_access', 'uma_authorization', ...roles] },
    resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
    scope: scopes.join(' '),
    email_verified: user?.emailVerified ?? false,
    ...(user === undefined
      ? {
          clientHost: '127.0.0.1',
          preferred_username: `service-account-${clientId}`,
          clientAddress: '127.0.0.1',
          client_id: clientId,
        }
      : {
          name: user.name,
          preferred_username: user.id,
          ...namesOf(user),
          email: user.email,
          ...claim('fhirUser', user.fhirUser),
        }),
  }
}
