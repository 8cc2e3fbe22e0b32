import { AUTH0_NAMESPACE } from '../access/auth0-access.ts'
import { claim, type LabFlavour, namesOf, stable } from './flavour.ts'

/** Auth0: a slash at the end of the issuer, claims of one's own below a namespace. */
export const auth0: LabFlavour = {
  label: 'Auth0',
  issuerPath: '/',
  paths: () => ({
    authorize: '/authorize',
    token: '/oauth/token',
    keys: '/.well-known/jwks.json',
    userInfo: '/userinfo',
    endSession: '/oidc/logout',
  }),
  subject: (user) => `auth0|${stable(user.id).slice(0, 24)}`,
  idToken: ({ user, sessionId }) => ({ ...profile(user), sid: sessionId }),
  userInfo: ({ user }) => profile(user),
  tokenAnswer: () => ({}),
  answer: () => ({}),
  metadata: {
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
    ],
    code_challenge_methods_supported: ['S256', 'plain'],
    response_types_supported: ['code', 'token', 'id_token', 'code token', 'code id_token'],
    // It says so although nobody should use the first.
    id_token_signing_alg_values_supported: ['HS256', 'RS256', 'PS256'],
    request_uri_parameter_supported: false,
    request_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  },
}

function profile(user: Parameters<LabFlavour['subject']>[0]) {
  return {
    nickname: user.id,
    name: user.name,
    ...namesOf(user),
    email: user.email,
    email_verified: user.emailVerified,
    ...claim(`${AUTH0_NAMESPACE}roles`, user.roles),
    ...claim(`${AUTH0_NAMESPACE}fhirUser`, user.fhirUser),
  }
}
