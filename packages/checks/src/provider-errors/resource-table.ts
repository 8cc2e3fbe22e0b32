import type { ProviderErrorRow } from './provider-error.ts'
import type { TokenFacts } from './provider-signal.ts'

const ANY = ['any'] as const
const URL = 'https://fhir.lab.example/r4/Patient/1'

const token = (facts: Partial<TokenFacts>): TokenFacts => ({
  audiences: ['https://fhir.lab.example/r4'],
  scopes: ['system/Patient.rs'],
  roles: ['Reader'],
  secondsLeft: 300,
  isOpaque: false,
  isAppOnly: true,
  ...facts,
})

/** The token was issued, and a resource refuses it. @see RFC 6750 §3.1 */
export const RESOURCE_ERRORS = {
  resource_openid_missing: {
    kind: 'configuration',
    providers: ANY,
    when: [
      { stage: 'resource', status: [401, 403], fact: 'no-openid-at-userinfo' },
      { stage: 'resource', text: /missing openid scope/i },
    ],
    cause:
      'the token has scopes {tokenScopes}, not `openid`, and the userinfo endpoint of Keycloak (since version 19) refuses tokens without it; so do resource servers that ask userinfo about tokens',
    fix: 'add `openid` to `scopes` of {connection}; the `id_token` that comes with it is put aside',
    examples: [
      {
        stage: 'resource',
        preset: 'keycloak',
        status: 403,
        error: 'insufficient_scope',
        description: 'Missing openid scope',
      },
      {
        stage: 'resource',
        preset: 'keycloak',
        status: 401,
        resource: 'https://idp.example/realms/lab/protocol/openid-connect/userinfo',
        token: token({ scopes: ['email'] }),
      },
    ],
  },
  resource_claims_challenge: {
    kind: 'sign-in',
    providers: ANY,
    when: [{ stage: 'resource', status: [401], fact: 'claims-challenge' }],
    cause:
      'the resource asks for a token with more in it (`claims=`): access was evaluated anew, such as after a change of password, address or policy',
    fix: 'a new token is asked for; where a user is behind it: `scopegate connection authorize {connection}`',
    examples: [
      { stage: 'resource', status: 401, hasClaimsChallenge: true, error: 'insufficient_claims' },
    ],
  },
  resource_token_expired: {
    kind: 'clock',
    providers: ANY,
    when: [
      { stage: 'resource', status: [401], fact: 'token-expired' },
      { stage: 'resource', status: [401], text: /\bexpired\b/i },
    ],
    cause: 'the resource finds the token expired; {skew}',
    fix: 'compare the clocks of this server, the provider and the resource (NTP); if they agree, something keeps an old token',
    examples: [
      {
        stage: 'resource',
        status: 401,
        error: 'invalid_token',
        description: 'The token has expired',
      },
      { stage: 'resource', status: 401, resource: URL, token: token({ secondsLeft: -5 }) },
    ],
  },
  resource_other_audience: {
    kind: 'configuration',
    providers: ANY,
    when: [
      { stage: 'resource', status: [401], fact: 'other-audience' },
      { stage: 'resource', status: [401], text: /\baud(?:ience)?\b/i },
    ],
    cause: 'the token is for {tokenAudiences}, and {resource} expects another audience',
    fix: 'set `audience`, `resource` or the scope of {connection} so that the provider puts the identifier of this API into `aud`; in Keycloak add an audience mapper',
    examples: [
      {
        stage: 'resource',
        status: 401,
        error: 'invalid_token',
        description: 'The audience is invalid',
      },
      {
        stage: 'resource',
        status: 401,
        resource: URL,
        token: token({ audiences: ['https://graph.microsoft.com'] }),
      },
    ],
  },
  resource_no_audience: {
    kind: 'configuration',
    providers: ANY,
    when: [{ stage: 'resource', status: [401], fact: 'no-audience' }],
    cause: 'the token names no audience at all, and {resource} refuses it',
    fix: 'have the provider put the identifier of this API into `aud`: `audience` or `resource` of {connection}, in Keycloak an audience mapper',
    examples: [{ stage: 'resource', status: 401, resource: URL, token: token({ audiences: [] }) }],
  },
  resource_no_roles: {
    kind: 'administration',
    providers: ['entra'],
    when: [{ stage: 'resource', status: [401, 403], fact: 'no-roles' }],
    cause:
      'the token of the app carries no roles; Entra issues such tokens when no application permission was granted',
    fix: 'API permissions → Add a permission → *Application permissions* → the role → *Grant admin consent*; then `scopegate connection retry {connection}` for a new token',
    examples: [
      {
        stage: 'resource',
        preset: 'entra',
        status: 403,
        resource: URL,
        token: token({ roles: [], scopes: [] }),
      },
    ],
  },
  resource_insufficient_scope: {
    kind: 'permission',
    providers: ANY,
    when: [
      { stage: 'resource', error: ['insufficient_scope'] },
      { stage: 'resource', status: [403] },
    ],
    cause:
      'the token is good, and does not allow this; scopes {tokenScopes}, roles {tokenRoles}; asked for: {needed}',
    fix: 'have the permission granted to {clientId} at the provider, and ask for it in `scopes` of {connection}',
    examples: [
      {
        stage: 'resource',
        status: 403,
        error: 'insufficient_scope',
        neededScopes: ['system/Observation.rs'],
        token: token({}),
      },
      { stage: 'resource', status: 403 },
    ],
  },
  upstream_rejected_fresh_token: {
    kind: 'permission',
    providers: ANY,
    when: [{ finding: 'fresh_token_refused' }],
    cause:
      '{resource} refuses a token that was issued only now: audience {tokenAudiences}, scopes {tokenScopes}',
    fix: 'a new token does not help: compare audience, issuer and scopes with what the resource expects; `scopegate doctor connection {connection} --url …` does it step by step',
    examples: [
      { stage: 'resource', status: 401, finding: 'fresh_token_refused', error: 'invalid_token' },
    ],
  },
  resource_token_refused: {
    kind: 'permission',
    providers: ANY,
    when: [
      { stage: 'resource', status: [401] },
      { stage: 'resource', error: ['invalid_token'] },
    ],
    cause: '{resource} refuses the token: issuer, audience {tokenAudiences}, signature, or revoked',
    fix: 'compare the claims with what the resource expects; `scopegate doctor connection {connection} --url …` decodes them side by side',
    examples: [
      { stage: 'resource', status: 401 },
      { stage: 'resource', status: 401, error: 'invalid_token' },
    ],
  },
  resource_failed: {
    kind: 'temporary',
    providers: ANY,
    when: [{ stage: 'resource', fact: 'server-error' }],
    cause: 'the resource failed by itself ({status}); the token was not the reason',
    fix: 'ask whoever runs {resource}',
    examples: [{ stage: 'resource', status: 500 }],
  },
} as const satisfies Record<string, ProviderErrorRow>
