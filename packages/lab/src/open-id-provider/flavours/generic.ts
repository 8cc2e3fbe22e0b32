import { claim, type LabFlavour, namesOf, stable } from './flavour.ts'

/** What the standards say, and nothing else. */
export const generic: LabFlavour = {
  label: 'OpenID Connect',
  issuerPath: '',
  paths: (base) => ({
    authorize: `${base}/authorize`,
    token: `${base}/token`,
    keys: `${base}/jwks`,
    userInfo: `${base}/userinfo`,
    endSession: `${base}/logout`,
  }),
  subject: (user) => stable(user.id).slice(0, 24),
  idToken: ({ user, authTime, sessionId }) => ({
    auth_time: authTime,
    sid: sessionId,
    ...profile(user),
  }),
  userInfo: ({ user }) => profile(user),
  tokenAnswer: () => ({}),
  answer: ({ issuer }) => ({ iss: issuer }),
  metadata: {
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    code_challenge_methods_supported: ['S256'],
  },
}

function profile(user: Parameters<LabFlavour['subject']>[0]) {
  return {
    name: user.name,
    preferred_username: user.id,
    ...namesOf(user),
    email: user.email,
    email_verified: user.emailVerified,
    ...claim('employeeId', user.employeeId),
    ...claim('fhirUser', user.fhirUser),
    ...claim('roles', user.roles),
  }
}
