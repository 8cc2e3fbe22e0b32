import { type AccessFlavour, unknownScope, words } from './access-flavour.ts'
import { refuseWith } from './token-problem.ts'

/** What the standards say: JWTs after RFC 9068, introspection, revocation. */
export const genericAccess: AccessFlavour = {
  seconds: 300,
  paths: (base) => ({ introspection: `${base}/introspect`, revocation: `${base}/revoke` }),
  grants: ['client_credentials'],
  ask({ form, authorized, audience, scopes: known, client }) {
    const scopes = words(authorized?.scope ?? form.get('scope'))
    const unknown = unknownScope(scopes, known)
    if (unknown !== undefined) return { problem: 'scope_unknown', value: unknown }
    const resource = form.get('resource') ?? authorized?.audience
    return { scopes, audience: resource ?? client.audience ?? audience ?? 'https://api.example' }
  },
  make: ({ client, user, subject, scopes, roles, audience, issuer, now, ...grant }) => ({
    header: { typ: 'at+jwt' },
    claims: {
      iss: issuer,
      sub: subject ?? client.clientId,
      aud: audience,
      client_id: client.clientId,
      iat: now,
      exp: grant.expiresAt,
      jti: grant.id,
      scope: scopes.join(' '),
      ...(roles.length > 0 ? { roles } : {}),
      ...(user?.fhirUser === undefined ? {} : { fhirUser: user.fhirUser }),
    },
  }),
  answer: ({ scopes }) => ({ scope: scopes.join(' ') }),
  refuse: refuseWith({
    parameter_missing: ({ value }) => [400, 'invalid_request', `${value} is missing`],
    client_unknown: ({ clientId }) => [401, 'invalid_client', `no client \`${clientId}\``],
    client_public: () => [400, 'unauthorized_client', 'public clients have users'],
    secret_missing: () => [401, 'invalid_client', 'the client did not authenticate'],
    secret_wrong: () => [401, 'invalid_client', 'the secret is wrong'],
    secret_expired: () => [401, 'invalid_client', 'the secret has expired'],
    assertion_audience: ({ value }) => [401, 'invalid_client', `the assertion is for \`${value}\``],
    assertion_names: () => [401, 'invalid_client', 'the assertion names another client'],
    assertion_replayed: () => [401, 'invalid_client', 'the assertion was used before'],
    assertion_signature: () => [401, 'invalid_client', 'the assertion is not signed by the client'],
    assertion_time: () => [401, 'invalid_client', 'the assertion is outside its time'],
    assertion_type: () => [401, 'invalid_client', 'client_assertion_type'],
    code_invalid: () => [400, 'invalid_grant', 'Code not valid'],
    dpop_missing: () => [400, 'invalid_dpop_proof', 'a DPoP proof is required'],
    grant_not_allowed: ({ value }) => [400, 'unauthorized_client', `not registered for ${value}`],
    grant_unsupported: ({ value }) => [400, 'unsupported_grant_type', `no grant \`${value}\``],
    redirect_mismatch: () => [400, 'invalid_grant', 'another redirect_uri'],
    refresh_invalid: () => [400, 'invalid_grant', 'the refresh token is not valid'],
    refresh_reused: () => [400, 'invalid_grant', 'the refresh token was used before'],
    resource_missing: () => [400, 'invalid_target', 'resource is missing'],
    resource_unknown: ({ value }) => [400, 'invalid_target', `no resource \`${value}\``],
    scope_form: ({ value }) => [400, 'invalid_scope', `\`${value}\` is no scope`],
    scope_missing: () => [400, 'invalid_scope', 'scope is missing'],
    scope_unknown: ({ value }) => [400, 'invalid_scope', `no scope \`${value}\``],
    tenant_missing: () => [400, 'invalid_request', 'no tenant'],
    verifier_wrong: () => [400, 'invalid_grant', 'the code_verifier does not fit'],
  }),
  redirectPage: (redirectUri) => `Redirect URI ${redirectUri} is not registered.`,
}
