import type { ApiReasonCode } from './api-catalogue.ts'
import type { ReasonCode } from './catalogue.ts'

/** Kinds of issuer, as `issuers[].preset` names them; `self` is this server. */
export const CAUSE_ISSUERS = [
  'self',
  'entra-v1',
  'entra-v2',
  'entra-external-id',
  'okta',
  'auth0',
  'keycloak',
  'google',
  'cognito',
  'ping',
  'generic',
] as const
export type CauseIssuer = (typeof CAUSE_ISSUERS)[number]

/** Why it happens with tokens of an issuer of that kind, and what to do there. */
export interface LikelyCause {
  readonly issuers: readonly CauseIssuer[]
  readonly cause: string
  readonly fix: string
}

interface ReasonCauses {
  /** Settings of scopegate.yaml that decide it, for a FHIR endpoint and for an API. */
  readonly settings: readonly string[]
  readonly causes: readonly LikelyCause[]
}

const ENTRA = ['entra-v1', 'entra-v2', 'entra-external-id'] as const
const AUDIENCES = ['fhir.r4.audiences', 'apis[].auth.audiences']
const TRUST = ['issuers', 'fhir.r4.trust', 'apis[].auth.trust']
const SCOPES = ['issuers[].scopes.map', 'issuers[].claims.scopes', 'issuers[].claims.roles']

const NO_AUDIENCE_PARAMETER: LikelyCause = {
  issuers: ['auth0'],
  cause: 'the app asked without `audience`, so the token is opaque or for /userinfo alone',
  fix: 'send `audience=<API identifier>` to /authorize and /oauth/token, and add the identifier to `audiences`',
}

const ENTRA_SCOPES: LikelyCause = {
  issuers: ENTRA,
  cause:
    'the permissions are in `scp` (users) or `roles` (apps), under names without `/`; an app without an assigned role gets a token all the same',
  fix: 'assign the role or consent to the permission, and map its name: `issuers[].scopes.map: { FHIR.Observation.Read: system/Observation.rs }`',
}

/** By the code of the reason; for reasons that issuers and settings bring about. */
export const REASON_CAUSES: Readonly<Partial<Record<ReasonCode | ApiReasonCode, ReasonCauses>>> = {
  token_not_jwt: {
    settings: ['issuers[].introspection'],
    causes: [
      {
        issuers: ['google'],
        cause: 'access tokens of Google are opaque',
        fix: 'add `introspection` to the issuer with the preset `google`',
      },
      NO_AUDIENCE_PARAMETER,
      {
        issuers: ['okta'],
        cause: 'the org authorization server signs tokens for Okta itself only',
        fix: 'use a custom authorization server: `authorizationServer: default`',
      },
      {
        issuers: ['keycloak', 'ping', 'generic'],
        cause: 'the issuer is set to give out opaque (reference, lightweight) tokens',
        fix: 'set the access token format of the client to JWT, or add `introspection` to the issuer',
      },
    ],
  },
  token_encrypted: {
    settings: [],
    causes: [
      {
        issuers: ['auth0'],
        cause: 'the API has JWE switched on, or no `audience` was asked for',
        fix: 'switch token encryption off for the API, and send `audience`',
      },
    ],
  },
  token_unknown: {
    settings: ['issuers[].introspection'],
    causes: [
      {
        issuers: ['keycloak', 'okta', 'ping', 'generic'],
        cause: 'the token is of another realm or server, or this server may not introspect it',
        fix: 'check `introspection.url` and `introspection.clientId` of the issuer',
      },
    ],
  },
  issuer_unknown: {
    settings: TRUST,
    causes: [
      {
        issuers: ['entra-v1', 'entra-v2'],
        cause:
          'the API registration decides the version: v1 tokens come from sts.windows.net/<tenant>/, v2 tokens from login.microsoftonline.com/<tenant>/v2.0; or it is another tenant',
        fix: 'set `requestedAccessTokenVersion: 2` in the manifest of the API; or add the other form to `aliases` of the issuer, or as an issuer with the preset of that version',
      },
      {
        issuers: ['keycloak'],
        cause:
          'browsers and servers reach Keycloak by different names, and the token carries the one that was used to get it',
        fix: 'set `hostname` in Keycloak; or write the name in the token as `issuer` and the internal one as `backchannelUrl`, or list it in `aliases`',
      },
      {
        issuers: ['auth0'],
        cause: 'the issuer of Auth0 ends with a slash, and a custom domain is an issuer of its own',
        fix: 'write `issuer: https://<domain>/`, or use `domain`',
      },
      {
        issuers: ['okta'],
        cause:
          'tokens of the org server and of a custom authorization server have different issuers',
        fix: 'name the one in use: `authorizationServer`',
      },
      {
        issuers: ['google'],
        cause: 'Google says both `https://accounts.google.com` and `accounts.google.com`',
        fix: 'use the preset `google`, which knows both',
      },
      {
        issuers: ['self'],
        cause:
          'server.url has changed since the token was issued, or the request came to another server',
        fix: 'get a new token; keep `server.url` as clients know it',
      },
    ],
  },
  issuer_not_trusted_here: { settings: TRUST, causes: [] },
  algorithm_not_allowed: {
    settings: ['issuers[].algorithms'],
    causes: [
      {
        issuers: ['auth0'],
        cause: 'the API signs with HS256',
        fix: 'set the signing algorithm of the API to RS256',
      },
      {
        issuers: ['keycloak'],
        cause: 'the realm or client signs with another algorithm than listed',
        fix: 'set Access token signature algorithm of the client, or `algorithms` of the issuer',
      },
    ],
  },
  key_unknown: {
    settings: ['issuers[].keysUrl', 'issuers[].keysFile', 'issuers[].discoveryUrl'],
    causes: [
      {
        issuers: ENTRA,
        cause:
          'the token is for Microsoft Graph (its header has a `nonce`), which nobody else can verify; or an app with claims mapping signs with keys of its own',
        fix: 'ask for a scope of your API (`api://<app>/.default`); with claims mapping set `discoveryUrl: …?appid=<client id>`',
      },
      {
        issuers: ['okta'],
        cause: 'the token is of another authorization server of the same org',
        fix: 'correct `authorizationServer` of the issuer',
      },
      {
        issuers: ['keycloak'],
        cause: 'the realm was made anew or its keys were rotated, and `keysFile` is old',
        fix: 'leave `keysFile` out so that the keys are fetched, or save them again',
      },
    ],
  },
  keys_unavailable: {
    settings: ['issuers[].backchannelUrl', 'issuers[].keysUrl'],
    causes: [
      {
        issuers: ['keycloak', 'generic'],
        cause: 'this server cannot reach the name that browsers use',
        fix: 'set `backchannelUrl`; `scopegate doctor` says what fails',
      },
    ],
  },
  signature_invalid: {
    settings: [],
    causes: [
      {
        issuers: ENTRA,
        cause: 'the token is for Microsoft Graph: its signature cannot be verified by others',
        fix: 'ask for a scope of your API (`api://<app>/.default`)',
      },
    ],
  },
  type_id_token: {
    settings: [],
    causes: [
      {
        issuers: ['entra-v2', 'google', 'cognito', 'auth0', 'okta', 'keycloak'],
        cause: 'the app sends `id_token` in place of `access_token`',
        fix: 'send the access token; ask for it with a scope of the API',
      },
    ],
  },
  claim_missing: {
    settings: ['issuers[].preset', 'issuers[].requiredClaims'],
    causes: [
      {
        issuers: ['keycloak'],
        cause: 'the client scope `basic` (sub) or the audience mapper is missing',
        fix: 'add the client scope `basic`, and an audience mapper for the API',
      },
      {
        issuers: ['cognito'],
        cause: 'access tokens of Cognito have no `aud`; what stands for it is `client_id`',
        fix: 'use the preset `cognito`',
      },
    ],
  },
  token_expired: {
    settings: ['tokens.clockToleranceSeconds'],
    causes: [],
  },
  token_not_yet_valid: { settings: ['tokens.clockToleranceSeconds'], causes: [] },
  token_issued_in_future: { settings: ['tokens.clockToleranceSeconds'], causes: [] },
  audience_missing: {
    settings: AUDIENCES,
    causes: [
      {
        issuers: ['keycloak'],
        cause: 'Keycloak puts no audience of an API into tokens by itself',
        fix: 'add an Audience mapper to the client (scope) with the URL of the endpoint',
      },
      {
        issuers: ['cognito'],
        cause: 'access tokens of Cognito have no `aud`',
        fix: 'use the preset `cognito`, and add the app client ID to `audiences`',
      },
    ],
  },
  audience_mismatch: {
    settings: AUDIENCES,
    causes: [
      {
        issuers: ['entra-v2', 'entra-external-id'],
        cause: 'v2 tokens carry the client ID (a GUID) of the API registration, never its URL',
        fix: 'add that GUID to `audiences`: the app is the right one if it is the API you registered',
      },
      {
        issuers: ['entra-v1'],
        cause: 'v1 tokens carry the App ID URI (`api://…`) that was asked for',
        fix: 'add the App ID URI to `audiences`',
      },
      {
        issuers: ['keycloak'],
        cause: 'tokens have `aud: account` until an audience mapper says otherwise',
        fix: 'add an Audience mapper with the URL of the endpoint; or add the audience to `audiences`',
      },
      NO_AUDIENCE_PARAMETER,
      {
        issuers: ['okta'],
        cause: 'the audience is set at the authorization server (`api://default` at first)',
        fix: 'set Audience of the authorization server, or add its value to `audiences`',
      },
      {
        issuers: ['google', 'cognito'],
        cause: 'the audience is the client ID of the app',
        fix: 'add the client IDs of the apps that may call to `audiences`',
      },
      {
        issuers: ['self'],
        cause: 'the token was asked for without `resource` (or `aud`), or for another endpoint',
        fix: 'send `resource=<URL of the endpoint>` with the request for the token',
      },
    ],
  },
  scope_missing: {
    settings: SCOPES,
    causes: [
      ENTRA_SCOPES,
      {
        issuers: ['okta'],
        cause: 'scopes of Okta are in `scp`, a list',
        fix: 'use the preset `okta`, and give the access policy of the authorization server a rule with the scope',
      },
      {
        issuers: ['auth0'],
        cause: 'with RBAC, permissions are in `permissions` and not in `scope`',
        fix: 'use the preset `auth0`, or set `claims.scopes: permissions`',
      },
      {
        issuers: ['google'],
        cause: 'Google knows no scopes of your API',
        fix: 'map what Google grants with `scopes.map`, or exchange the token for one of this server',
      },
    ],
  },
  scope_not_clinical: {
    settings: SCOPES,
    causes: [
      ENTRA_SCOPES,
      {
        issuers: ['okta', 'auth0', 'keycloak', 'cognito', 'ping'],
        cause:
          'the scope is not defined at the issuer, not allowed for the client, or spelled otherwise',
        fix: 'define and allow it there; or map the name it has: `issuers[].scopes.map`',
      },
    ],
  },
  api_scope_missing: { settings: ['apis[].routes[].scopes', ...SCOPES], causes: [ENTRA_SCOPES] },
  role_missing: {
    settings: ['apis[].auth.roles.from', 'apis[].auth.roles.prefix'],
    causes: [
      {
        issuers: ['keycloak'],
        cause:
          'roles of a realm are in `/realm_access/roles`, those of a client below `/resource_access`',
        fix: 'set `roles.from: /realm_access/roles`',
      },
    ],
  },
  route_absent: { settings: ['apis[].routes'], causes: [] },
  upstream_unreachable: { settings: ['apis[].upstream'], causes: [] },
  upstream_broken: { settings: ['apis[].upstream'], causes: [] },
  upstream_timeout: { settings: ['apis[].timeoutSeconds'], causes: [] },
}

/** What the reason `code` comes of; with an issuer of that kind only what is likely there. */
export function findCauses(
  code: string | undefined,
  issuer?: CauseIssuer,
): { readonly settings: readonly string[]; readonly causes: readonly LikelyCause[] } {
  const rows: Readonly<Partial<Record<string, ReasonCauses>>> = REASON_CAUSES
  const row = code !== undefined && Object.hasOwn(rows, code) ? rows[code] : undefined
  if (row === undefined) return { settings: [], causes: [] }
  if (issuer === undefined) return row
  return { ...row, causes: row.causes.filter(({ issuers }) => issuers.includes(issuer)) }
}

const PATTERNS: readonly (readonly [pattern: RegExp, issuer: CauseIssuer])[] = [
  [/^https:\/\/sts\.windows\.net\//, 'entra-v1'],
  [/^https:\/\/login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)\//, 'entra-v2'],
  [/\.ciamlogin\.com\//, 'entra-external-id'],
  [/^https:\/\/[^/]+\.okta(?:preview|-emea)?\.com(?:\/|$)/, 'okta'],
  [/^https:\/\/[^/]+\.auth0\.com(?:\/|$)/, 'auth0'],
  [/^(?:https:\/\/)?accounts\.google\.com$/, 'google'],
  [/^https:\/\/cognito-idp\.[^/]+\.amazonaws\.com\//, 'cognito'],
  [/\/realms\/[^/]+\/?$/, 'keycloak'],
  [/^https:\/\/auth\.pingone\.[a-z.]+\//, 'ping'],
]

/** What kind of issuer has such a name; `undefined` if it could be any. */
export function guessIssuerKind(issuer: string): CauseIssuer | undefined {
  return PATTERNS.find(([pattern]) => pattern.test(issuer))?.[1]
}
