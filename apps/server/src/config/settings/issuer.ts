import { findIssuerProblems, ISSUER_PRESET_NAMES } from '@scopegate/token-verify'
import { z } from 'zod'
import { issuerSettings } from '../issuer-settings.ts'
import { httpUrl, seconds, secretReference } from './forms.ts'

const text = z.string().min(1).max(500)

const places = z.union([text, z.array(text)]).meta({
  fix: 'write a claim, a JSON pointer such as `/realm_access/roles`, or a list of them',
})

const claims = z
  .strictObject({
    scopes: places.optional().meta({
      description: 'What the token may do: a space-separated text or a list. The first found.',
      examples: ['scp'],
    }),
    roles: places.optional().meta({
      description:
        'Roles, which `scopes.map` turns into scopes in tokens of apps that act for themselves, never in those of users. All of these places.',
      examples: ['roles', '/resource_access/fhir/roles'],
    }),
    client: places.optional().meta({ description: 'The client that the token was issued to.' }),
    subject: places.optional().meta({ description: 'Whom it is about.' }),
    audience: places.optional().meta({
      description: 'For whom it is; compared with the audiences of the endpoint.',
    }),
    patient: places.optional().meta({ description: 'The patient of the launch: a bare id.' }),
    encounter: places.optional().meta({ description: 'The encounter of the launch.' }),
    fhirUser: places.optional().meta({
      description:
        'Who the user is in FHIR: a claim, or a template. Must be nothing that users can change themselves.',
      examples: ['fhirUser', 'Practitioner/{employee_id}'],
    }),
  })
  .prefault({})

const appOnly = z
  .strictObject({
    without: z.array(text).optional().meta({ description: 'Claims that only users have.' }),
    with: z.array(text).optional().meta({ description: 'Claims that only apps have.' }),
    equal: z
      .record(text, text)
      .optional()
      .meta({
        description: 'Claims with the only value they may have; `{name}` stands for another claim.',
        examples: [{ sub: '{client_id}' }],
      }),
    equalIfThere: z.record(text, text).optional().meta({
      description: 'The same for claims that may be missing.',
    }),
  })
  .optional()

const scopes = z
  .strictObject({
    map: z
      .record(text, text)
      .default({})
      .meta({
        description:
          'Names of the issuer, scopes and roles, to scopes as they are known here; several are separated by spaces.',
        examples: [
          {
            'Observation.rs': 'user/Observation.rs',
            'FHIR.Observation.Read': 'system/Observation.rs',
          },
        ],
      }),
    strip: z
      .array(text)
      .default([])
      .meta({
        description: 'Taken off the front of names before they are looked up.',
        examples: [['api://fhir/']],
      }),
    unmapped: z.enum(['pass', 'drop']).optional().meta({
      description:
        'Names that are SMART scopes and not in `map`: taken as they are, or not at all. Default: by preset.',
    }),
  })
  .prefault({})

const introspection = z
  .strictObject({
    url: httpUrl.optional().meta({
      description: 'Its introspection endpoint. Default: from its discovery, or by preset.',
    }),
    clientId: text.optional().meta({ description: 'The `client_id` that this server has there.' }),
    secret: secretReference.optional().meta({ description: 'Its secret there.' }),
    privateKey: secretReference.optional().meta({
      description: 'Or its private key, for private_key_jwt: PEM (PKCS #8) or a JWK.',
    }),
    keyId: text.optional().meta({ description: 'The `kid` of that key, if the issuer asks.' }),
    method: z
      .enum(['client_secret_basic', 'client_secret_post'])
      .default('client_secret_basic')
      .meta({ description: 'How the secret is sent.' }),
    cacheSeconds: seconds(1, 3600).default(30).meta({
      description:
        'How long an answer is taken, never beyond the end of the token: how late a revocation may be noticed.',
    }),
    when: z.enum(['opaque', 'always']).default('opaque').meta({
      description: '`always`: signed tokens are looked up too, so that revoked ones are noticed.',
    }),
    afterOthers: z.boolean().default(false).meta({
      description:
        'Declares that this issuer may see opaque tokens which another one, asked before, does not know. Needed by all but the first of an endpoint.',
    }),
  })
  .optional()

const part = (description: string, example?: string) =>
  text.optional().meta({ description, ...(example !== undefined && { examples: [example] }) })

export const issuer = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'not a-z, 0-9 and `-`, at most 32')
      .optional()
      .meta({ description: 'A short name for `trust`.', examples: ['entra'] }),
    preset: z.enum(ISSUER_PRESET_NAMES).default('generic').meta({
      description: 'What kind of issuer it is; see docs/reference/issuers.md.',
    }),
    issuer: httpUrl.default('').meta({
      description: 'The `iss` of its tokens, exactly. Default: made of the parts below, by preset.',
    }),
    tenant: part('Entra: the Directory (tenant) ID. Tokens of other tenants are refused.'),
    domain: part('Okta, Auth0: the host name.', 'example.okta.com'),
    host: part('Entra: the host of a national cloud.', 'login.microsoftonline.us'),
    authorizationServer: part('Okta: the authorization server. Default: `default`.'),
    url: httpUrl.optional().meta({
      description: 'Keycloak: the base URL.',
      examples: ['https://sso.example.org'],
    }),
    realm: part('Keycloak: the realm.'),
    region: part('Cognito: the region.', 'eu-central-1'),
    userPool: part('Cognito: the id of the user pool.', 'eu-central-1_a1B2c3D4e'),
    environment: part('PingOne: the environment ID.'),
    aliases: z.array(httpUrl).default([]).meta({
      description:
        'Other values of `iss` that are the same issuer, such as v1 and v2 of one Entra tenant, or the name by which containers know it.',
    }),
    backchannelUrl: httpUrl.optional().meta({
      description:
        'What this server reaches the issuer by, where browsers use another name: in place of the issuer at the front of its addresses. On a private network it may be plain http.',
      examples: ['http://keycloak:8080/realms/clinic'],
    }),
    discoveryUrl: httpUrl.optional().meta({
      description: 'Its metadata. Default: `/.well-known/openid-configuration` below the issuer.',
    }),
    keysUrl: httpUrl.optional().meta({ description: 'Its JWK set. Default: from its discovery.' }),
    keysFile: z.string().min(1).optional().meta({
      description: 'Its JWK set in a file, relative to this file.',
    }),
    keysStaleSeconds: seconds(0, 86_400).default(3600).meta({
      description:
        'How long keys serve on when the set cannot be read again; after that its tokens are answered with 503.',
    }),
    algorithms: z
      .array(
        z.enum([
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
        ]),
      )
      .min(1)
      .optional()
      .meta({
        description:
          'Signature algorithms accepted. Default: by preset, else every asymmetric one.',
      }),
    typ: z.enum(['at+jwt', 'any']).optional().meta({
      description:
        '`at+jwt`: its access tokens say so in their header (RFC 9068). `any`: they do not; what is recognisably an ID token is refused all the same. Default: by preset, `any`.',
    }),
    requiredClaims: z.array(text).optional().meta({
      description:
        'Claims without which its tokens are refused; `a|b` asks for one of both. Default: by preset.',
    }),
    claimValues: z
      .record(text, z.array(text).min(1))
      .optional()
      .meta({
        description: 'Claims that must have one of these values. Default: by preset.',
        examples: [{ token_use: ['access'] }],
      }),
    claims: claims.meta({ description: 'Where things are in its tokens. Default: by preset.' }),
    appOnly: appOnly.meta({
      description:
        'How a token of an app that acts for itself is told from that of a user; all must hold. Default: by preset.',
    }),
    scopes: scopes.meta({ description: 'What its names for scopes and roles mean here.' }),
    introspection: introspection.meta({
      description: 'How it is asked about tokens that only it can read. Default: it is not.',
    }),
  })
  .refine((value) => !(value.keysUrl && value.keysFile), {
    message: 'both `keysUrl` and `keysFile`',
    params: { fix: 'keep one of them' },
  })
  .refine(({ introspection: each }) => !(each?.secret && each.privateKey), {
    path: ['introspection'],
    message: 'both `secret` and `privateKey`',
    params: { fix: 'keep one of them' },
  })
  .superRefine((value, context) => {
    for (const { path, message, fix } of findIssuerProblems(issuerSettings(value))) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { fix } })
    }
  })
  .meta({ description: 'An issuer whose tokens an endpoint may trust.' })
