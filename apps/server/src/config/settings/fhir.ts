import { z } from 'zod'

const fhirEndpoint = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, 'not an absolute path')
      .default('/fhir/r4')
      .meta({
        description: 'Where the endpoint is mounted.',
        restart: true,
        fix: 'write a path such as /fhir/r4',
      }),
    audiences: z.array(z.string().min(1)).default([]).meta({
      description: "Further accepted audiences; the endpoint's own URL always is one.",
    }),
    trust: z.array(z.string().min(1)).min(1).default(['self']).meta({
      description: 'Issuers whose tokens are accepted here: `self`, or one listed in `issuers`.',
    }),
    auth: z
      .array(z.enum(['oauth2', 'basic']))
      .min(1)
      .default(['oauth2'])
      .meta({
        description:
          'How callers say who they are: access tokens, or for a transition also HTTP Basic with the password of a user of this server. One of them per request.',
        examples: [['basic', 'oauth2']],
        fix: 'write [oauth2], [basic, oauth2] or [basic]',
      }),
    basicScopes: z
      .string()
      .min(1)
      .default('user/*.rs')
      .meta({
        description:
          'With `basic`: the most that a password opens, as scopes `user/…` under `userPolicy`. The user needs a `fhirUser`.',
        examples: ['user/*.cruds', 'user/Observation.rs'],
      }),
    origins: z
      .array(
        z.union([
          z.literal('*'),
          z
            .string()
            .regex(/^https?:\/\/[^/?#@*\s]+$/, 'not an origin')
            .meta({ fix: 'write scheme, host and port only, such as https://app.example.org' }),
        ]),
      )
      .default([])
      .meta({
        description:
          'Origins whose pages may call the endpoint from a browser, beside those of registered clients; `*` for any. For apps whose tokens come from another issuer.',
        examples: [['https://app.example.org']],
      }),
    backend: z.enum(['repository']).default('repository').meta({
      description: '`repository`: the resources are kept here.',
    }),
    compartment: z.enum(['definition', 'guarded', 'primary']).default('guarded').meta({
      description:
        "Which resources `patient/` scopes reach: the compartment definition's; the same without those whose subject is another patient (`guarded`); only those whose subject is the patient (`primary`).",
    }),
    userPolicy: z.enum(['all', 'none']).default('none').meta({
      description: 'What `user/` scopes reach for a practitioner: everything, or nothing.',
    }),
    sharedTypes: z
      .record(z.string(), z.enum(['none', 'reachable', 'all']))
      .default({})
      .meta({
        description:
          'What `patient/` scopes see of types outside the patient compartment. Default `all` for Practitioner, PractitionerRole, Organization, Location, HealthcareService, Medication, Endpoint and Substance, `none` for every other.',
        examples: [{ Organization: 'reachable' }],
      }),
    updateCreate: z.boolean().default(false).meta({
      description:
        'Whether PUT to a new id creates it. Never under a constrained token, whatever is set here.',
    }),
    pageSize: z.int().min(1).max(1000).default(50).meta({
      description: 'Search results per page when `_count` is not given.',
    }),
    maxPageSize: z.int().min(1).max(5000).default(1000).meta({
      description: 'The largest `_count` honoured.',
    }),
  })
  .prefault({})

export const fhir = z
  .strictObject({ r4: fhirEndpoint.meta({ description: 'The FHIR R4 endpoint.' }) })
  .prefault({})
  .meta({ description: 'Protected FHIR endpoints.' })
