import { claim, type LabFlavour, namesOf, stable } from './flavour.ts'

/** Okta: a thin ID token; the profile is at userinfo. */
export const okta: LabFlavour = {
  label: 'Okta',
  issuerPath: '/oauth2/default',
  paths: (base) => {
    const root = base.includes('/oauth2') ? base : `${base}/oauth2`
    return {
      authorize: `${root}/v1/authorize`,
      token: `${root}/v1/token`,
      keys: `${root}/v1/keys`,
      userInfo: `${root}/v1/userinfo`,
      endSession: `${root}/v1/logout`,
    }
  },
  subject: (user) => `00u${stable(user.id).slice(0, 17)}`,
  idToken: ({ authTime, sessionId }) => ({
    ver: 1,
    amr: ['pwd', 'mfa'],
    idp: '00o1a2b3c4d5e6f7g8h9',
    auth_time: authTime,
    sid: sessionId,
  }),
  userInfo: ({ user }) => ({
    name: user.name,
    locale: 'en_US',
    zoneinfo: 'America/Los_Angeles',
    preferred_username: user.email,
    ...namesOf(user),
    email: user.email,
    email_verified: user.emailVerified,
    ...claim('fhirUser', user.fhirUser),
    ...claim('groups', user.roles),
  }),
  tokenAnswer: () => ({}),
  answer: () => ({}),
  metadata: {
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none',
    ],
    code_challenge_methods_supported: ['S256'],
    dpop_signing_alg_values_supported: ['RS256', 'ES256'],
  },
}
