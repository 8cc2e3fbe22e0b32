import type { ConnectionPreset } from './preset.ts'

/** Auth0. A token is for one API, named by `audience`; the issuer ends in a slash. */
export const auth0: ConnectionPreset = {
  label: 'Auth0',
  documentation:
    'https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow',
  issuer: 'https://{domain}/',
  tokenEndpoint: 'https://{domain}/oauth/token',
  authorizationEndpoint: 'https://{domain}/authorize',
  deviceAuthorizationEndpoint: 'https://{domain}/oauth/device/code',
  metadata: [],
  fixes: { domain: 'write the host name, such as `example.eu.auth0.com`' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_post',
  assertion: { alg: 'RS256', audience: 'issuer', headers: ['kid', 'typ'], lifetimeSeconds: 60 },
  algorithms: ['RS256', 'RS384', 'PS256'],
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 86_400,
  rules: ['audience-required'],
}
