import { CONSENT_MODES, GRANT_TYPES } from '@scopegate/oauth-model'
import { z } from 'zod'
import { httpUrl, seconds, secretReference, secretReferences } from './forms.ts'

const address = (description: string) => z.string().optional().meta({ description })
const addresses = (description: string, more: object = {}) =>
  z
    .array(z.string())
    .default([])
    .meta({ description, ...more })

export const client = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'not letters, digits, `_` and `-`, at most 64')
      .meta({
        description: 'The `client_id`.',
        fix: 'use letters, digits, `_` and `-`, at most 64: OAuth libraries differ in how they encode others',
      }),
    name: z.string().min(1).optional().meta({ description: 'What people call it.' }),
    secret: secretReference
      .optional()
      .meta({ description: 'Its secret, for client_secret_basic and _post.' }),
    secrets: secretReferences.optional().meta({
      description:
        'Its secrets, newest first, instead of `secret`: each of them lets it in, for the time of an exchange.',
    }),
    jwksFile: z.string().min(1).optional().meta({
      description: 'Its public keys for private_key_jwt, relative to this file.',
    }),
    jwksUrl: httpUrl.optional().meta({ description: 'Where its public keys are.' }),
    public: z.boolean().default(false).meta({
      description: 'An app that cannot keep a secret: PKCE alone protects it.',
    }),
    grants: z.array(z.enum(GRANT_TYPES)).min(1).optional().meta({
      description:
        'Grant types it may use. Without it: `authorization_code` with redirectUris (and `refresh_token` with offline_access or online_access), `client_credentials` without them or with system/ scopes.',
    }),
    scopes: z
      .string()
      .min(1)
      .meta({
        description: 'The most it may be granted, separated by spaces.',
        examples: ['system/Observation.rs?category=laboratory'],
      }),
    roles: z
      .array(z.string().min(1).max(100))
      .default([])
      .meta({
        description:
          'Roles of the client, for grants of keys that are for a role: `keys[].grants[].role`.',
        examples: [['app-lab']],
      }),
    redirectUris: addresses('Where users come back to; compared character by character.', {
      examples: [['https://app.example/callback']],
    }),
    postLogoutRedirectUris: addresses('Where users may be sent after logout.'),
    launchUrl: address('Where an EHR launch opens the app.'),
    origins: z
      .array(z.string())
      .optional()
      .meta({
        description:
          'Web origins that may call with CORS. A public client without it: those of its redirectUris.',
        examples: [['https://app.example']],
      }),
    consent: z.enum(CONSENT_MODES).default('ask').meta({
      description:
        'Whether users are asked. `ask`: at every launch. `remember`: once per patient, until the scopes grow. `skip`: never, for apps of your own.',
    }),
    dpop: z.boolean().default(false).meta({
      description: 'Access tokens only with DPoP (RFC 9449).',
    }),
    requirePar: z.boolean().default(false).meta({
      description: 'Authorization requests only pushed (RFC 9126).',
    }),
    backchannelLogoutUri: address('Called when a user signs out.'),
    logoUri: address('Shown where users consent; this server never fetches it.'),
    clientUri: address('A page about the app.'),
    policyUri: address('What the app does with data.'),
    tosUri: address('Its terms.'),
    accessTokenSeconds: seconds(30, 3600).optional().meta({
      description: 'Life of its access tokens, instead of that of `tokens`.',
    }),
    refreshTokenSeconds: seconds(30, 316_224_000).optional().meta({
      description: 'Life of its refresh tokens, instead of that of `tokens`.',
    }),
  })
  .refine(
    ({ secret, secrets, jwksFile, jwksUrl, public: isPublic }) =>
      [secret, secrets, jwksFile, jwksUrl, isPublic].filter(Boolean).length === 1,
    {
      message: 'a client authenticates in exactly one way',
      params: { fix: 'give one of `secret`, `secrets`, `jwksFile`, `jwksUrl` and `public: true`' },
    },
  )
  .meta({
    description: 'A client that always exists; others are added with `scopegate client add`.',
  })
