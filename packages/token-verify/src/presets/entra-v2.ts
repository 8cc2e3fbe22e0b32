import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/**
 * What v1 and v2 tokens of a tenant share. Which of both an API gets is decided by its manifest
 * (`requestedAccessTokenVersion`), not by the endpoint that is called.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export const ENTRA = {
  tenant: { claim: 'tid', setting: 'tenant' },
  typ: 'any',
  algorithms: ['RS256'],
  // ID tokens name no client, and may hold the same roles.
  requiredClaims: ['sub', 'aud', 'iat', 'tid', 'azp|appid'],
  claims: {
    ...COMMON_PLACES,
    scopes: ['scp'],
    roles: ['roles'],
    client: ['azp', 'appid'],
  },
  appOnly: {
    without: ['scp', 'name', 'preferred_username', 'upn', 'unique_name', 'email', 'family_name'],
    equalIfThere: { idtyp: 'app', oid: '{sub}' },
  },
  unmapped: 'drop',
} as const satisfies Partial<IssuerPreset>

/** Microsoft Entra ID, v2.0 access tokens. */
export const entraV2: IssuerPreset = {
  ...ENTRA,
  title: 'Microsoft Entra ID (v2.0 tokens)',
  issuer: 'https://{host}/{tenant}/v2.0',
  parts: { host: 'login.microsoftonline.com' },
  remarks: [
    'the audience is always the client ID (a GUID) of the app registration of the API: add it to `audiences` of the endpoint',
    'scopes of users are in `scp`, app roles in `roles`: map both under `scopes.map`, since Entra has no names with `/`',
    'an app without an assigned role gets a token all the same, without `roles`',
    'a token whose `ver` is 1.0 is of the preset entra-v1: set `requestedAccessTokenVersion` to 2 in the manifest of the API, or trust both',
  ],
}
