import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/**
 * Google. Its access tokens are opaque (`ya29.…`), and it has no introspection endpoint: `tokeninfo`
 * tells what they are for.
 *
 * @see https://developers.google.com/identity/protocols/oauth2
 */
export const google: IssuerPreset = {
  title: 'Google',
  issuer: 'https://accounts.google.com',
  typ: 'any',
  algorithms: ['RS256'],
  requiredClaims: ['sub', 'aud', 'azp'],
  claims: {
    ...COMMON_PLACES,
    scopes: ['scope'],
    client: ['azp'],
    patient: [],
    encounter: [],
    fhirUser: [],
  },
  appOnly: { equal: { azp: '{sub}' } },
  unmapped: 'drop',
  introspection: {
    url: 'https://oauth2.googleapis.com/tokeninfo',
    parameter: 'access_token',
    active: 'status',
    isPublic: true,
    pattern: '^ya29\\.',
  },
  remarks: [
    'the audience is the client ID of the app (`…apps.googleusercontent.com`): add those of your own apps, and no others, to `audiences` of the endpoint',
    'Google knows no scopes of yours: map `openid` or an address of `https://www.googleapis.com/auth/…` under `scopes.map`',
    'Google says nothing of FHIR users: name a template such as `Practitioner/{sub}` under `claims.fhirUser`',
  ],
}
