import { COMMON_PLACES } from '../claim-places.ts'
import type { IssuerPreset } from './issuer-preset.ts'

/**
 * Amazon Cognito user pools. Access tokens have no `aud` unless the app asked with `resource`; the
 * client stands in for it.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
 */
export const cognito: IssuerPreset = {
  title: 'Amazon Cognito',
  issuer: 'https://cognito-idp.{region}.amazonaws.com/{userPool}',
  typ: 'any',
  algorithms: ['RS256'],
  requiredClaims: ['sub', 'iat', 'client_id'],
  claimValues: { token_use: ['access'] },
  claims: {
    ...COMMON_PLACES,
    scopes: ['scope'],
    client: ['client_id'],
    audience: ['aud', 'client_id'],
  },
  appOnly: { without: ['username', 'cognito:groups'], equal: { sub: '{client_id}' } },
  unmapped: 'pass',
  remarks: [
    'without `aud` the `client_id` counts as the audience: add the ids of the app clients that may call to `audiences` of the endpoint',
    'scopes are `<resource server identifier>/<scope>`: take the identifier off with `scopes.strip`, or map the whole names',
    'claims of your own get into access tokens by a pre token generation trigger, version 2',
  ],
}
