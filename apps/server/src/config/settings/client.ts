import { z } from 'zod'
import { httpUrl, secretReference } from './forms.ts'

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
    jwksFile: z.string().min(1).optional().meta({
      description: 'Its public keys for private_key_jwt, relative to this file.',
    }),
    jwksUrl: httpUrl.optional().meta({ description: 'Where its public keys are.' }),
    grants: z
      .array(z.enum(['client_credentials']))
      .min(1)
      .default(['client_credentials'])
      .meta({
        description: 'Grant types it may use.',
      }),
    scopes: z
      .string()
      .min(1)
      .meta({
        description: 'The most it may be granted, separated by spaces.',
        examples: ['system/Observation.rs?category=laboratory'],
      }),
  })
  .refine((value) => [value.secret, value.jwksFile, value.jwksUrl].filter(Boolean).length === 1, {
    message: 'a client authenticates in exactly one way',
    params: { fix: 'give one of `secret`, `jwksFile` and `jwksUrl`' },
  })
  .meta({
    description: 'A client that always exists; others are added with `scopegate client add`.',
  })
