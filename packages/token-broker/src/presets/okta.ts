import type { ConnectionPreset } from './preset.ts'

/**
 * Okta. `authorizationServer` names a custom one, such as `default`; without it tokens come from the
 * org server, which gives `okta.*` scopes to apps with a key. New API Services apps ask for DPoP.
 */
export const okta: ConnectionPreset = {
  label: 'Okta',
  documentation: 'https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/',
  issuer: 'https://{domain}[/oauth2/{authorizationServer}]',
  tokenEndpoint: 'https://{domain}/oauth2[/{authorizationServer}]/v1/token',
  authorizationEndpoint: 'https://{domain}/oauth2[/{authorizationServer}]/v1/authorize',
  deviceAuthorizationEndpoint:
    'https://{domain}/oauth2[/{authorizationServer}]/v1/device/authorize',
  metadata: [],
  fixes: { domain: 'write the host name, such as `example.okta.com`' },
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  // One hour is the limit, and counts their seconds: five minutes never meet it.
  assertion: {
    alg: 'RS256',
    audience: 'token-endpoint',
    headers: ['kid', 'typ'],
    lifetimeSeconds: 300,
  },
  scopePolicy: 'warn',
  dpop: true,
  strippedScopes: { client_credentials: ['openid', 'profile', 'email', 'offline_access'] },
  defaultLifetimeSeconds: 3600,
  rules: ['scopes-required', 'okta-org-server-needs-key'],
}
