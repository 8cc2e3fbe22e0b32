/** The paths of the engine, under the issuer. */
export const ROUTES = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  registration: '/oauth/register',
  userinfo: '/oauth/userinfo',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device',
  code_verification: '/oauth/device/code',
  end_session: '/oauth/logout',
  backchannel_authentication: '/oauth/backchannel',
} as const

/** Where the steps of one sign-in are, followed by its id: the path that its cookie is bound to. */
export const INTERACTION_PATH = '/oauth/interaction'
