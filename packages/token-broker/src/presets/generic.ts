import type { ConnectionPreset } from './preset.ts'

/** Any OAuth 2 authorization server, with metadata or by its `tokenEndpoint`. @see RFC 8414 */
export const generic: ConnectionPreset = {
  label: 'OAuth 2',
  documentation: 'https://www.rfc-editor.org/rfc/rfc6749',
  metadata: ['.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  assertion: { audience: 'token-endpoint', headers: ['kid', 'typ'], lifetimeSeconds: 60 },
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 300,
}
