import { findProviderProblems } from '@scopegate/oidc-login'
import { z } from 'zod'
import { httpUrl, secretReference } from './forms.ts'

const text = z.string().min(1)

const claimSource = text.max(500).meta({
  fix: 'write a claim, a JSON pointer such as `/realm_access/roles`, or a template such as `Practitioner/{employeeId}`',
})

const claims = z
  .strictObject({
    username: claimSource.optional().meta({
      description: 'What people are called by. Default: by preset.',
    }),
    name: claimSource.optional().meta({ description: 'Their full name. Default: by preset.' }),
    email: claimSource.optional().meta({
      description:
        'Their address; taken only if the provider says that it is verified. Default: by preset.',
    }),
    fhirUser: claimSource.optional().meta({
      description:
        'Who they are in FHIR. Must be a claim that they cannot change themselves. Without it they have no `fhirUser`.',
      examples: ['fhirUser', 'Practitioner/{employeeId}'],
    }),
    roles: z
      .union([
        claimSource,
        z.strictObject({ from: claimSource, values: z.record(text, text.max(100)) }),
      ])
      .optional()
      .meta({
        description:
          'Their roles: a claim, taken as it is; or `from` a claim, those that `values` translates. Without it they have none.',
        examples: ['/realm_access/roles', { from: 'groups', values: { '9b2c…': 'clinician' } }],
      }),
  })
  .prefault({})

const provider = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'not a-z, 0-9 and `-`, at most 32')
      .meta({
        description:
          'Stands in the redirect URI to register there: `<server.url>/oauth/login/<name>/callback`.',
        fix: 'use a-z, 0-9 and `-`, such as `entra`',
      }),
    preset: z
      .enum(['entra', 'keycloak', 'google', 'okta', 'auth0', 'generic'])
      .default('generic')
      .meta({ description: 'What kind of provider it is.' }),
    label: text
      .max(60)
      .optional()
      .meta({
        description: 'What the button says. Default: by preset.',
        examples: ['Clinic account'],
      }),
    issuer: httpUrl.optional().meta({
      description:
        'Its issuer, as its discovery document spells it. Default: made of the four below, by preset.',
    }),
    tenant: text.optional().meta({
      description:
        'Entra: the Directory (tenant) ID; or `organizations`, `consumers`, `common`, with `tenants`.',
    }),
    domain: text.optional().meta({
      description: 'Okta, Auth0: the host name.',
      examples: ['example.okta.com'],
    }),
    url: httpUrl.optional().meta({
      description: 'Keycloak: the base URL.',
      examples: ['https://sso.example.org'],
    }),
    realm: text.optional().meta({ description: 'Keycloak: the realm.' }),
    tenants: z.array(text).optional().meta({
      description:
        'Entra: directories whose people may sign in, where `tenant` names no single one.',
    }),
    hostedDomain: text.optional().meta({
      description: 'Google: the Workspace domain whose people may sign in. Default: everybody.',
    }),
    clientId: text.max(256).meta({ description: 'The `client_id` that this server has there.' }),
    secret: secretReference.optional().meta({ description: 'Its secret there.' }),
    privateKey: secretReference.optional().meta({
      description: 'Or its private key, for private_key_jwt: PEM (PKCS #8) or a JWK.',
      examples: ['file:/run/secrets/entra-key.pem'],
    }),
    keyId: text.optional().meta({ description: 'The `kid` of that key, if the provider asks.' }),
    certificateFile: text.optional().meta({
      description:
        'The certificate of that key as PEM, relative to this file, where the provider knows the key by it (Entra).',
    }),
    scopes: z.array(text).min(1).optional().meta({
      description: 'Scopes to ask for. Default: `openid`, `profile`, `email`.',
    }),
    claims: claims.meta({ description: 'Which claims make a user.' }),
    trustEmail: z.boolean().default(false).meta({
      description: 'Declares every e-mail address of this provider verified.',
    }),
  })
  .refine((value) => [value.secret, value.privateKey].filter(Boolean).length === 1, {
    message: 'this server authenticates there in exactly one way',
    params: { fix: 'give one of `secret` and `privateKey`' },
  })
  .superRefine((value, context) => {
    for (const { path, message, fix } of findProviderProblems(value)) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { fix } })
    }
  })

export const login = z
  .strictObject({
    providers: z.array(provider).default([]).meta({
      description:
        'OpenID Providers where people may sign in; see docs/reference/sign-in-elsewhere.md.',
    }),
  })
  .prefault({})
  .meta({ description: 'Sign-in elsewhere.' })
