import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/** Keycloak 17 and newer (older ones have `/auth` at the end of `url`). */
export const keycloak: IssuerPreset = {
  title: 'Keycloak',
  issuer: '{url}/realms/{realm}',
  typ: 'any',
  requiredClaims: ['sub', 'aud', 'iat', 'azp'],
  // Refresh, ID and logout tokens are signed with the same key.
  claimValues: { typ: ['Bearer', 'DPoP'] },
  claims: {
    ...COMMON_PLACES,
    scopes: ['scope'],
    roles: ['/realm_access/roles'],
    client: ['azp'],
  },
  // A user may be named like a service account, but has no `client_id` of a service account.
  appOnly: {
    equal: { preferred_username: 'service-account-{azp}', client_id: '{azp}' },
  },
  unmapped: 'pass',
  remarks: [
    "`aud` holds only what mappers put there, often just `account`: add an audience mapper to the client, or to a client scope of it, with the endpoint's URL",
    'the issuer is the host name that the browser used, unless `hostname` is set: use `backchannelUrl` where this server reaches it by another name',
    'roles of a client are at `/resource_access/<client>/roles`: name that place under `claims.roles`',
    'service accounts are known by `client_id` in their tokens, which the client scope `service_account` puts there: keep it among the default scopes',
  ],
}
