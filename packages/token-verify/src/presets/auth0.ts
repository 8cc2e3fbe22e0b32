import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/** Auth0. @see https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles */
export const auth0: IssuerPreset = {
  title: 'Auth0',
  issuer: 'https://{domain}/',
  typ: 'any',
  algorithms: ['RS256', 'PS256'],
  requiredClaims: ['sub', 'aud', 'iat', 'azp|client_id'],
  claims: {
    ...COMMON_PLACES,
    scopes: ['scope'],
    // With role-based access control, what a user may is there; it is no scope by itself.
    roles: [],
    client: ['azp', 'client_id'],
  },
  appOnly: { equal: { sub: '{azp}@clients' }, equalIfThere: { gty: 'client-credentials' } },
  unmapped: 'pass',
  remarks: [
    'the issuer ends in a slash',
    "the audience is the API's Identifier, which apps send as `audience`: without it they get an opaque token that only Auth0 reads",
    'the API must sign with RS256: HS256 is never accepted',
    'claims of your own carry a namespace such as `https://example.org/patient`: name them under `claims`',
  ],
}
