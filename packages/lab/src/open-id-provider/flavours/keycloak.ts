import { claim, type LabFlavour, namesOf, stableUuid } from './flavour.ts'

/** Keycloak: `iss` in the answer, roles below `realm_access`, back-channel logout by session. */
export const keycloak: LabFlavour = {
  label: 'Keycloak',
  issuerPath: '/realms/lab',
  paths: (base) => ({
    authorize: `${base}/protocol/openid-connect/auth`,
    token: `${base}/protocol/openid-connect/token`,
    keys: `${base}/protocol/openid-connect/certs`,
    userInfo: `${base}/protocol/openid-connect/userinfo`,
    endSession: `${base}/protocol/openid-connect/logout`,
  }),
  subject: (user) => stableUuid(user.id),
  idToken: ({ user, clientId, sessionId, authTime }) => ({
    auth_time: authTime,
    typ: 'ID',
    azp: clientId,
    sid: sessionId,
    acr: '1',
    ...profile(user),
  }),
  userInfo: ({ user }) => profile(user),
  tokenAnswer: ({ sessionId }) => ({
    refresh_expires_in: 1800,
    'not-before-policy': 0,
    session_state: sessionId,
  }),
  answer: ({ sessionId, issuer }) => ({ session_state: sessionId, iss: issuer }),
  metadata: {
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    code_challenge_methods_supported: ['plain', 'S256'],
    token_endpoint_auth_methods_supported: [
      'private_key_jwt',
      'client_secret_basic',
      'client_secret_post',
      'tls_client_auth',
      'client_secret_jwt',
    ],
    // Keycloak lists what it could be told to sign with.
    id_token_signing_alg_values_supported: [
      'PS384',
      'RS384',
      'EdDSA',
      'ES384',
      'HS256',
      'HS512',
      'ES256',
      'RS256',
      'HS384',
      'ES512',
      'PS256',
      'PS512',
      'RS512',
    ],
  },
}

function profile(user: Parameters<LabFlavour['subject']>[0]) {
  return {
    email_verified: user.emailVerified,
    name: user.name,
    preferred_username: user.id,
    ...namesOf(user),
    email: user.email,
    ...claim('fhirUser', user.fhirUser),
    ...(user.roles === undefined ? {} : { realm_access: { roles: user.roles } }),
    ...claim('groups', user.groups),
  }
}
