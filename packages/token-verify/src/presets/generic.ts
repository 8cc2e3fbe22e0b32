import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/** Any issuer of signed access tokens; most do not set `typ: at+jwt`. @see RFC 9068 */
export const generic: IssuerPreset = {
  title: 'OAuth 2.0 / OpenID Connect',
  typ: 'any',
  requiredClaims: ['sub', 'aud'],
  claims: COMMON_PLACES,
  unmapped: 'pass',
  remarks: ['set `typ: at+jwt` if its access tokens say so in their header'],
}
