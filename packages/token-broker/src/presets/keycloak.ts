import type { ConnectionPreset } from './preset.ts'

/**
 * Keycloak 17 and newer (older ones have `/auth` at the end of `url`). `openid` is allowed for
 * client credentials: its userinfo endpoint wants it; the ID token that comes along is left aside.
 */
export const keycloak: ConnectionPreset = {
  label: 'Keycloak',
  documentation: 'https://www.keycloak.org/docs/latest/server_admin/#_service_accounts',
  issuer: '{url}/realms/{realm}',
  metadata: ['.well-known/openid-configuration'],
  fixes: {
    url: 'write the base URL, such as `https://sso.example.org`',
    realm: 'write the name of the realm',
  },
  grant: 'client_credentials',
  secretMethod: 'client_secret_basic',
  // Since 26.2 exactly one value; the issuer is what every version takes.
  assertion: { audience: 'issuer', headers: ['kid', 'typ'], lifetimeSeconds: 60 },
  scopePolicy: 'warn',
  dpop: false,
  defaultLifetimeSeconds: 60,
}
