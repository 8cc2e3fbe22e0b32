import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/**
 * Okta's custom authorization servers. Tokens of the org server (issuer without `/oauth2/…`) are for
 * Okta's own APIs, and nobody else can verify them.
 *
 * @see https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
 */
export const okta: IssuerPreset = {
  title: 'Okta',
  issuer: 'https://{domain}/oauth2/{authorizationServer}',
  parts: { authorizationServer: 'default' },
  typ: 'any',
  algorithms: ['RS256'],
  requiredClaims: ['sub', 'aud', 'iat', 'cid'],
  claims: { ...COMMON_PLACES, scopes: ['scp'], client: ['cid'] },
  appOnly: { without: ['uid'], equal: { sub: '{cid}' } },
  unmapped: 'pass',
  remarks: [
    "the audience is the one of the authorization server's settings, `api://default` for the default one: add it to `audiences` of the endpoint",
    'scopes are the list `scp`, the client is `cid`',
    'Okta refuses `openid` by client credentials',
    'service apps made since February 2024 ask for DPoP, which is accepted here',
  ],
}
