import { SIGNATURE_ALGORITHMS } from '@scopegate/keys'
import {
  ASSERTION_HEADERS,
  CONNECTION_GRANTS,
  CONNECTION_PRESET_NAMES,
  findConnectionProblems,
  findPathPatternProblem,
  SCOPE_POLICIES,
} from '@scopegate/token-broker'
import { z } from 'zod'
import { credentialsWritten, writtenConnection } from '../connection-settings.ts'
import { httpUrl, seconds, secretReference, secretReferences } from './forms.ts'

const text = z.string().min(1).max(1000)
const part = (description: string, example?: string) =>
  text.optional().meta({ description, ...(example !== undefined && { examples: [example] }) })

const METHODS = [
  'client_secret_basic',
  'client_secret_basic_raw',
  'client_secret_post',
  'client_secret_auto',
  'private_key_jwt',
  'tls_client_auth',
  'none',
] as const

const authentication = z
  .strictObject({
    method: z.enum(METHODS).optional().meta({
      description:
        'Default: by what is given below, and by preset. `client_secret_basic_raw` does not percent-encode, for servers that do not decode; `client_secret_auto` tries Basic and then the form, which may be two failed logins.',
    }),
    secrets: secretReferences.optional().meta({
      description:
        'The client secret; several while one is replaced, newest first. If the first is refused, the second is tried once.',
      examples: [['env:LAB_SECRET']],
    }),
    key: part('The name of a key of `keys`, which signs without being seen.', 'partner1'),
    privateKey: secretReference.optional().meta({
      description: 'Or a private key: PEM (PKCS #8, PKCS #1, SEC 1, encrypted or not) or a JWK.',
      examples: ['file:/run/secrets/entra-key.pem'],
    }),
    keyPassphrase: secretReference
      .optional()
      .meta({ description: 'Of an encrypted `privateKey`.' }),
    certificate: part(
      'The certificate of `privateKey`: a PEM file, relative to this file. Thumbprints are made of it.',
      'entra-cert.pem',
    ),
    serviceAccount: secretReference.optional().meta({
      description: 'Google: the JSON key file of the service account, in place of `privateKey`.',
      examples: ['file:/run/secrets/service-account.json'],
    }),
    alg: z.enum(SIGNATURE_ALGORITHMS).optional().meta({
      description: 'Of assertions. Default: what the provider prefers of what the key can.',
    }),
    audience: part(
      '`aud` of client assertions: `token-endpoint`, `issuer`, or a value. One value only. Default: by preset.',
    ),
    headers: z.array(z.enum(ASSERTION_HEADERS)).optional().meta({
      description: 'Members of the header of assertions, beside `alg`. Default: by preset.',
    }),
    lifetimeSeconds: seconds(5, 3600).optional().meta({
      description: 'Of assertions. Each request has a new one. Default: by preset.',
    }),
    keyId: part('The `kid` of assertions. Default: that of the key.'),
    jwksUrl: httpUrl.optional().meta({
      description: '`jku`: where our public keys are, as it is registered there.',
    }),
  })
  .refine(
    ({ secrets, key, privateKey, serviceAccount }) =>
      [secrets, key, privateKey, serviceAccount].filter(Boolean).length <= 1,
    {
      message: 'more than one of `secrets`, `key`, `privateKey` and `serviceAccount`',
      params: { fix: 'keep the one that is registered there' },
    },
  )
  .refine(({ certificate, privateKey }) => certificate === undefined || privateKey !== undefined, {
    path: ['certificate'],
    message: 'a certificate without its private key',
    params: { fix: 'add `privateKey`; a key of `keys` has its certificate with it' },
  })
  .prefault({})

const assertion = z
  .strictObject({
    issuer: part('`iss`. Default: `clientId`.'),
    audience: part('`aud`. Default: as `authentication.audience`.'),
    lifetimeSeconds: seconds(5, 3600).optional().meta({ description: 'Default: by preset.' }),
    scopesIn: z.enum(['assertion', 'form']).optional().meta({
      description: 'Where scopes are asked for. Default: `form`; at Google `assertion`.',
    }),
    claims: z.record(z.string(), z.json()).optional().meta({ description: 'More claims.' }),
  })
  .optional()

const exchange = z
  .strictObject({
    subjectToken: secretReference.meta({ description: 'The token that is exchanged.' }),
    subjectTokenType: text.optional().meta({
      description: 'Default: `urn:ietf:params:oauth:token-type:access_token`.',
    }),
    actorToken: secretReference.optional().meta({ description: 'The token of who acts.' }),
    actorTokenType: text.optional().meta({ description: 'Default: as `subjectTokenType`.' }),
    requestedTokenType: text.optional().meta({ description: 'Default: the provider decides.' }),
  })
  .optional()

const parameters = (description: string) =>
  z
    .record(z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'not the name of a parameter'), z.string())
    .optional()
    .meta({ description })

export const connection = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'not a-z, 0-9 and `-`, at most 32')
      .meta({
        description: 'What programs call it; stands in URLs.',
        fix: 'use a-z, 0-9 and `-`, such as `lab`',
        examples: ['lab'],
      }),
    preset: z.enum(CONNECTION_PRESET_NAMES).default('generic').meta({
      description: 'What kind of provider it is; see docs/reference/connections.md.',
    }),
    issuer: httpUrl.optional().meta({
      description:
        'The issuer; its metadata says where tokens come from. Default: made of the parts below, by preset.',
    }),
    aliases: z.array(httpUrl).default([]).meta({
      description: 'Other names that its metadata may state, such as one inside and one outside.',
    }),
    tenant: part('Entra: the Directory (tenant) ID. Oracle Health: the tenant.'),
    cloud: part('Entra: the host of a national cloud.', 'login.microsoftonline.us'),
    domain: part('Okta, Auth0: the host name.', 'example.okta.com'),
    url: httpUrl.optional().meta({
      description: 'Keycloak: the base URL. Epic, SMART: the FHIR base URL.',
      examples: ['https://sso.example.org'],
    }),
    realm: part('Keycloak: the realm.'),
    authorizationServer: part('Okta: a custom authorization server. Default: the org server.'),
    environment: part('Oracle Health, athenahealth: another host.'),
    tokenEndpoint: httpUrl.optional().meta({
      description: 'Where tokens come from. Default: by preset, or from the metadata.',
    }),
    authorizationEndpoint: httpUrl.optional().meta({
      description: 'Where users sign in. Default: as above.',
    }),
    deviceAuthorizationEndpoint: httpUrl.optional().meta({ description: 'Default: as above.' }),
    metadataUrl: httpUrl.optional().meta({
      description: 'The metadata document. Default: below the issuer, by preset.',
    }),
    grant: z.enum(CONNECTION_GRANTS).optional().meta({
      description:
        'How tokens are got. `authorization_code` and `device_code`: a user signs in once. Default: `client_credentials`; at Google `jwt_bearer`.',
    }),
    clientId: text.optional().meta({
      description: 'The client id there. Not needed with `serviceAccount`.',
    }),
    authentication: authentication.meta({ description: 'How this client proves who it is.' }),
    assertion: assertion.meta({ description: 'The assertion of the grant `jwt_bearer`.' }),
    exchange: exchange.meta({ description: 'What the grant `token_exchange` exchanges.' }),
    refreshToken: secretReference.optional().meta({
      description: 'The grant `refresh_token`: the one to begin with, where nobody signs in here.',
    }),
    scopes: z
      .array(text)
      .default([])
      .meta({
        description: 'Scopes to ask for, one per item.',
        examples: [['system/Observation.rs']],
      }),
    scopePolicy: z.enum(SCOPE_POLICIES).optional().meta({
      description:
        'Where other scopes are granted: `accept`; `warn` if some are missing; `require-subset`: no token if some are missing; `exact`: nor if there are more. Default: `warn`, at some presets `accept`.',
    }),
    audience: part('The parameter `audience`: which API the token is for.'),
    resource: part('The parameter `resource` (RFC 8707).'),
    subject: part('On whose behalf: `sub` of the assertion; at Google a user of the Workspace.'),
    parameters: parameters('More parameters of token requests. Nothing secret.'),
    authorizationParameters: parameters('More parameters of authorization requests.'),
    redirectUri: httpUrl.optional().meta({
      description:
        'Where users come back to after signing in. Default: an address on loopback, where the CLI waits.',
    }),
    dpop: z.boolean().optional().meta({
      description: 'Bind tokens to a key (RFC 9449). Default: at Okta yes, else no.',
    }),
    defaultLifetimeSeconds: seconds(5, 86_400).optional().meta({
      description: 'For answers that do not say how long the token lives. Default: by preset.',
    }),
    keepAliveHours: z.int().min(0).max(2160).default(24).meta({
      description: 'A refresh token that nobody used for so long is used. 0: never.',
    }),
    timeoutSeconds: seconds(1, 60).default(10).meta({
      description: 'For a whole token request, from the name to the last byte.',
    }),
    proxy: text.default('environment').meta({
      description:
        '`environment`: as HTTPS_PROXY and NO_PROXY say. `none`. Or the URL of a proxy; with a password in it, as a secret reference.',
      examples: ['http://proxy.example.org:3128', 'env:PROXY_URL'],
    }),
    ca: part(
      'PEM file with certification authorities that are trusted as well.',
      'hospital-ca.pem',
    ),
    callers: z
      .array(text)
      .default([])
      .meta({
        description:
          'Clients that may fetch its token, or use it through a sidecar that is not on loopback.',
        examples: [['app-lab']],
      }),
    upstream: httpUrl.optional().meta({
      description: 'What `/out/<name>/…` leads to. Default: the sidecar does not serve it.',
      examples: ['https://fhir.lab.example/r4'],
    }),
    paths: z
      .array(text)
      .default([])
      .meta({
        description:
          'Paths below `upstream` that may be asked: `*` at the end for all below, `{name}` for one segment. Default: all.',
        examples: [['/Patient/*', '/metadata']],
      }),
    methods: z
      .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']))
      .default([])
      .meta({ description: 'Methods that may be used there. Default: all but `QUERY`.' }),
    cookies: z.enum(['strip', 'keep']).default('strip').meta({
      description: 'Whether cookies pass between callers and `upstream`.',
    }),
  })
  .refine(({ clientId, authentication: { serviceAccount } }) => clientId ?? serviceAccount, {
    path: ['clientId'],
    message: 'missing',
    params: { fix: 'write the client id that this server has there' },
  })
  .superRefine((value, context) => {
    for (const [index, pattern] of value.paths.entries()) {
      const message = findPathPatternProblem(pattern)
      if (message === undefined) continue
      const params = { fix: 'write a path such as /Patient/* or /metadata' }
      context.addIssue({ code: 'custom', path: ['paths', index], message, params })
    }
    // Of the account in a file it is known only when that is read.
    const problems = findConnectionProblems(writtenConnection(value), credentialsWritten(value))
    for (const { path, message, fix } of problems) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { fix } })
    }
  })
  .meta({ description: 'A provider of tokens that programs here use to call others.' })
