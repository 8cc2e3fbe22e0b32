import type { ProviderErrorRow } from './provider-error.ts'
import { SECRET_REFINEMENTS } from './secret-refinements.ts'

const ANY = ['any'] as const
const CLOCK_FIX = 'set this clock right (NTP: `timedatectl` or `chronyc tracking`)'

/** What any provider may say in the words of the standards. @see RFC 6749 §5.2 */
export const GENERIC_ERRORS = {
  oauth_invalid_client: {
    kind: 'configuration',
    providers: ANY,
    when: [{ error: ['invalid_client'] }],
    cause:
      'the provider refuses {clientId} with {secret} as {authentication}: unknown client, wrong secret or key, or another method expected',
    fix: 'compare client id, secret and authentication method with the registration there; sandbox and production differ',
    refine: [
      ...SECRET_REFINEMENTS,
      {
        if: 'assertion',
        cause:
          'the provider refuses the assertion of {clientId}: key {keyId}, {algorithm}, audience {assertionAudience}; {skew}',
        fix: 'compare the registered key or key set, the algorithm, and the audience (token endpoint or issuer) with what the provider documents',
      },
      {
        if: 'no-authentication',
        cause: 'the provider wants {clientId} to authenticate, and the connection sends nothing',
        fix: 'set `authentication` of {connection}',
      },
    ],
    examples: [
      { status: 401, error: 'invalid_client', description: 'Client authentication failed.' },
    ],
  },
  oauth_secret_encoding: {
    kind: 'configuration',
    providers: ANY,
    when: [{ error: ['invalid_client'], fact: 'secret-encoded' }],
    cause:
      'the provider refuses {clientId} with {secret}; the secret has characters that HTTP Basic percent-encodes, and many servers do not decode them',
    fix: 'check the secret first; if it is right, set `authentication.method: client_secret_basic_raw` or `client_secret_post`',
    refine: SECRET_REFINEMENTS,
    examples: [
      {
        preset: 'generic',
        status: 401,
        error: 'invalid_client',
        authentication: 'client_secret_basic',
        secret: {
          lengthCharacters: 24,
          isGuid: false,
          hasEdgeWhitespace: false,
          isQuoted: false,
          hasByteOrderMark: false,
          isPlaceholder: false,
          needsEncoding: true,
        },
      },
    ],
  },
  oauth_grant_not_enabled: {
    kind: 'configuration',
    providers: ANY,
    when: [{ error: ['unauthorized_client', 'unsupported_grant_type'] }],
    cause: 'the provider does not allow {grant} for {clientId}',
    fix: 'enable the grant in the registration of the client there',
    examples: [
      { status: 400, error: 'unauthorized_client' },
      { status: 400, error: 'unsupported_grant_type', description: 'grant type not supported' },
    ],
  },
  oauth_invalid_scope: {
    kind: 'configuration',
    providers: ANY,
    when: [{ error: ['invalid_scope'] }],
    cause: 'the provider does not know, or does not grant to {clientId}, one of {scopes}',
    fix: 'compare `scopes` with the registration of the client there, to the letter',
    refine: [
      {
        if: 'comma-scopes',
        cause: 'the scopes hold a comma, so they are one unknown scope: {scopes}',
        fix: 'write one scope per item of the list; they are sent with spaces between',
      },
    ],
    examples: [{ status: 400, error: 'invalid_scope', description: 'unknown scope' }],
  },
  oauth_invalid_target: {
    kind: 'configuration',
    providers: ANY,
    when: [{ error: ['invalid_target'] }],
    cause: 'the provider knows no resource or audience {audience}',
    fix: 'set `resource` or `audience` to the identifier that the API is registered with there',
    examples: [{ status: 400, error: 'invalid_target' }],
  },
  oauth_invalid_grant: {
    kind: 'sign-in',
    providers: ANY,
    when: [{ error: ['invalid_grant'] }],
    cause: 'the refresh token or code is expired, revoked, used before, or of another client',
    fix: 'sign in again: `scopegate connection authorize {connection}`',
    refine: [
      {
        if: 'clock-off',
        kind: 'clock',
        cause: 'the provider refuses the grant; {skew}',
        fix: CLOCK_FIX,
      },
      {
        if: 'client-credentials',
        kind: 'configuration',
        cause: 'the provider refuses the grant of {clientId}, though no user is in it',
        fix: 'see what the provider says beside it; `invalid_grant` with client credentials is most often a tenant or a subject that does not exist',
      },
    ],
    examples: [{ status: 400, error: 'invalid_grant', description: 'grant request is invalid' }],
  },
  oauth_invalid_request: {
    kind: 'configuration',
    providers: ANY,
    when: [{ error: ['invalid_request'] }],
    cause: 'the provider finds a parameter missing, repeated or malformed; sent were {parameters}',
    fix: 'the message of the provider names it; choose the preset that fits, or set what it stands for in {connection}',
    examples: [{ status: 400, error: 'invalid_request', description: 'missing parameter' }],
  },
  auth0_client_refused: {
    kind: 'configuration',
    providers: ['auth0'],
    when: [{ error: ['access_denied'], status: [401] }],
    cause: 'Auth0 does not know {clientId} with {secret}',
    fix: 'compare client id, secret and *Authentication Method* on Applications → Credentials',
    refine: SECRET_REFINEMENTS,
    examples: [
      { preset: 'auth0', status: 401, error: 'access_denied', description: 'Unauthorized' },
    ],
  },
  auth0_api_not_granted: {
    kind: 'administration',
    providers: ['auth0'],
    when: [
      { error: ['access_denied'], status: [403] },
      { text: /client (?:is not authorized to access|has not been granted)/i },
      { text: /service not found: /i },
      { text: /no audience parameter was provided/i },
    ],
    cause: 'the API {audience} does not exist at Auth0, or {clientId} was not granted access to it',
    fix: 'set `audience` of {connection} to the Identifier of the API, and authorize the app: APIs → the API → Machine to Machine Applications',
    examples: [
      {
        preset: 'auth0',
        status: 403,
        error: 'access_denied',
        description:
          'Client is not authorized to access "https://api.lab.example". You need to create a "client-grant" associated to this API.',
      },
      {
        preset: 'auth0',
        status: 403,
        error: 'access_denied',
        description: 'Service not found: https://api.lab.example',
      },
    ],
  },
  oauth_access_denied: {
    kind: 'administration',
    providers: ANY,
    when: [{ error: ['access_denied'] }],
    cause: 'a rule of the provider, or the user, said no to {clientId}',
    fix: 'an administrator of the provider allows the client and its scopes; or the user signs in again and agrees',
    examples: [{ status: 403, error: 'access_denied', description: 'not allowed by rule' }],
  },
  oauth_interaction_required: {
    kind: 'sign-in',
    providers: ANY,
    when: [{ error: ['interaction_required', 'login_required', 'consent_required'] }],
    cause: 'the provider wants to see the user',
    fix: 'sign in again: `scopegate connection authorize {connection}`',
    examples: [{ status: 400, error: 'interaction_required' }],
  },
  oauth_device_pending: {
    kind: 'temporary',
    providers: ANY,
    when: [{ error: ['authorization_pending', 'slow_down'] }],
    cause: 'the user has not entered the code yet',
    fix: 'enter the code at the address shown; asking goes on by itself',
    examples: [{ status: 400, error: 'authorization_pending' }],
  },
  oauth_device_expired: {
    kind: 'sign-in',
    providers: ANY,
    when: [{ error: ['expired_token'] }],
    cause: 'nobody entered the device code in time',
    fix: 'start again: `scopegate connection authorize {connection} --device`',
    examples: [{ status: 400, error: 'expired_token' }],
  },
  oauth_rate_limited: {
    kind: 'rate',
    providers: ANY,
    when: [{ status: [429] }, { error: ['too_many_requests', 'rate_limit_exceeded'] }],
    cause: 'the provider was asked too often',
    fix: 'nothing: the next attempt waits {retry}, and a valid token goes on until then; look for other programs with client id {clientId}',
    examples: [{ status: 429 }, { status: 429, error: 'too_many_requests' }],
  },
  oauth_server_error: {
    kind: 'temporary',
    providers: ANY,
    when: [
      { fact: 'server-error' },
      { error: ['server_error', 'temporarily_unavailable'] },
      { status: [408] },
    ],
    cause: 'a fault at the provider ({status})',
    fix: 'nothing: it is tried again, and a valid token goes on until then; if it lasts, ask the provider, with {ids}',
    examples: [
      { status: 503 },
      { status: 400, error: 'temporarily_unavailable' },
      { status: 502, contentType: 'text/html', excerpt: '<html><title>502</title>' },
    ],
  },
  token_endpoint_missing: {
    kind: 'configuration',
    providers: ANY,
    when: [{ status: [404, 405], fact: 'no-error' }, { finding: 'endpoint_missing' }],
    cause: 'there is no token endpoint at {endpoint}',
    fix: 'set `issuer` and let it be discovered, or copy `token_endpoint` from `<issuer>/.well-known/openid-configuration` (SMART: `.well-known/smart-configuration`)',
    examples: [{ status: 404, contentType: 'text/html' }, { finding: 'endpoint_missing' }],
  },
  metadata_missing: {
    kind: 'configuration',
    providers: ANY,
    when: [{ stage: 'discovery', status: [404, 405], fact: 'no-error' }],
    cause: 'there is no metadata at {endpoint}',
    fix: 'compare `issuer` with what the provider calls itself: realm, tenant, path (Keycloak before 17: `/auth` in front); where a server has no metadata, set `tokenEndpoint` in its place',
    examples: [{ stage: 'discovery', status: 404, contentType: 'text/html' }],
  },
  discovery_issuer_mismatch: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'issuer_mismatch' }],
    cause:
      'the metadata say issuer {got}, the configuration says {expected}: most often an internal and a public name of one server',
    fix: 'set `issuer` to {got} if that is the provider; where only the internal name can be reached, keep it and add {got} to `aliases` of the connection',
    examples: [
      {
        stage: 'discovery',
        finding: 'issuer_mismatch',
        expected: 'http://keycloak:8080/realms/lab',
        got: 'https://idp.example/realms/lab',
      },
    ],
  },
  plain_http: {
    kind: 'configuration',
    providers: ANY,
    when: [
      { finding: 'plain_http' },
      { text: /\bhttps required\b/i },
      { nodeCode: ['OAUTH_HTTP_REQUEST_FORBIDDEN'] },
    ],
    cause: '{endpoint} is plain HTTP, which would show the secret to everyone on the way',
    fix: 'use the https address; behind a proxy that ends TLS, Keycloak needs `proxy-headers` and `hostname`. Plain HTTP is for loopback only',
    examples: [
      { finding: 'plain_http' },
      { preset: 'keycloak', status: 403, error: 'invalid_request', description: 'HTTPS required' },
      { nodeCode: 'OAUTH_HTTP_REQUEST_FORBIDDEN' },
    ],
  },
  malformed_token_response: {
    kind: 'network',
    providers: ANY,
    when: [{ finding: 'answer_malformed' }, { finding: 'answer_too_large' }, { fact: 'html' }],
    cause:
      'the answer ({status}, {contentType}) is no answer of a token endpoint: a login page, a proxy or a firewall spoke in its place',
    fix: 'see the first characters of it in `scopegate connection show`; check the address {endpoint}; {proxy} is in use',
    examples: [
      { finding: 'answer_malformed', status: 200, contentType: 'text/html' },
      { finding: 'answer_too_large', status: 200 },
      { status: 403, contentType: 'text/html', excerpt: '<html><title>Blocked</title>' },
    ],
  },
  access_token_missing: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'access_token_missing' }],
    cause: 'the answer says success and holds no access token',
    fix: 'check that {endpoint} is the token endpoint, and that {grant} gives access tokens there',
    examples: [{ finding: 'access_token_missing', status: 200 }],
  },
  token_type_unsupported: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'token_type_unsupported' }],
    cause: 'the provider issued a token of type {got}, which cannot be used here',
    fix: 'configure the provider to issue Bearer tokens for {clientId}, or set `dpop: true` where it issues DPoP tokens',
    examples: [{ finding: 'token_type_unsupported', status: 200, got: 'mac' }],
  },
  token_already_expired: {
    kind: 'clock',
    providers: ANY,
    when: [{ finding: 'token_already_expired' }],
    cause: 'the token had expired when it arrived; {skew}',
    fix: `${CLOCK_FIX}; if the clocks agree, the lifetime at the provider is too short to use`,
    examples: [{ finding: 'token_already_expired', status: 200, clockSkewSeconds: -3600 }],
  },
  scope_policy: {
    kind: 'configuration',
    providers: ANY,
    when: [{ finding: 'scope_policy' }],
    cause: 'the provider granted {got}, and `scopePolicy` asks for {expected}',
    fix: 'have what is missing granted to {clientId} there, write what is more into `scopes`, or relax `scopePolicy` to `warn`',
    examples: [{ finding: 'scope_policy', status: 200, expected: 'a b', got: 'a' }],
  },
  redirected: {
    kind: 'network',
    providers: ANY,
    when: [{ finding: 'redirected' }, { fact: 'redirect' }],
    cause:
      '{endpoint} answered with a redirect, which is not followed: a secret goes only where it is meant to',
    fix: 'set the address that it leads to if that is the provider; otherwise a login page or a proxy is in the way ({proxy})',
    examples: [{ finding: 'redirected', status: 302 }, { status: 302 }],
  },
  unknown_provider_error: {
    kind: 'configuration',
    providers: ANY,
    when: [{}],
    cause: 'the provider refused with {status}, and with words that are in no row of the catalogue',
    fix: 'read what the provider says beside it, and look the code up in its documentation; `scopegate doctor connection {connection}` tries every step',
    examples: [
      { status: 400, error: 'weather_too_bad', description: 'come back tomorrow' },
      { nodeCode: 'EWEATHER' },
    ],
  },
} as const satisfies Record<string, ProviderErrorRow>
