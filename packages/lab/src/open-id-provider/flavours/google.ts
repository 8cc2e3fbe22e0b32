import { claim, type LabFlavour, namesOf, stable } from './flavour.ts'

/** Google: numeric subjects, `hd` for Workspace accounts only, no end-session address. */
export const google: LabFlavour = {
  label: 'Google',
  issuerPath: '',
  paths: () => ({
    authorize: '/o/oauth2/v2/auth',
    token: '/token',
    keys: '/oauth2/v3/certs',
    userInfo: '/v1/userinfo',
    endSession: '',
  }),
  subject: (user) =>
    BigInt(`0x1${stable(user.id).slice(0, 17)}`)
      .toString()
      .padStart(21, '1'),
  idToken: ({ user, clientId }) => ({
    azp: clientId,
    ...claim('hd', user.organisation),
    email: user.email,
    email_verified: user.emailVerified,
    name: user.name,
    picture: 'https://lh3.googleusercontent.com/a/default-user=s96-c',
    ...namesOf(user),
  }),
  userInfo: ({ user }) => ({ name: user.name, email: user.email }),
  tokenAnswer: () => ({}),
  answer: ({ user }) => ({
    scope: 'email profile openid',
    authuser: '0',
    ...(user.organisation === undefined ? {} : { hd: user.organisation }),
    prompt: 'consent',
  }),
  metadata: {
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['plain', 'S256'],
    response_types_supported: ['code', 'token', 'id_token', 'code token', 'none'],
  },
}
