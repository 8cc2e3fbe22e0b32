import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/** PingOne; for PingFederate and PingOne Advanced Identity Cloud write their `issuer`. */
export const ping: IssuerPreset = {
  title: 'Ping Identity',
  issuer: 'https://auth.pingone.com/{environment}/as',
  typ: 'any',
  requiredClaims: ['aud', 'client_id'],
  claims: { ...COMMON_PLACES, scopes: ['scope'], client: ['client_id'] },
  appOnly: {
    without: ['username', 'Username', 'preferred_username', 'sid'],
    equalIfThere: { sub: '{client_id}' },
  },
  unmapped: 'pass',
  remarks: [
    "the audience is that of the custom resource: set it to the endpoint's URL, or add it to `audiences` of the endpoint",
    'regions other than North America have another host: write `issuer`',
    'PingFederate: choose an access token manager that makes JSON Web Tokens; reference tokens need `introspection`',
  ],
}
