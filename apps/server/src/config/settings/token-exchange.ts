import { z } from 'zod'

const text = z.string().min(1).max(500)

export const tokenExchange = z
  .array(
    z.strictObject({
      issuer: text.meta({
        description: 'One of `issuers`, by its `name` or its `issuer`: whose tokens are brought.',
      }),
      clients: z.array(text).min(1).meta({
        description: 'Ids of the clients of this server that may bring them.',
      }),
      scopes: text.optional().meta({
        description:
          'What comes of it at most, space-separated. Default: what both the subject token, after `scopes.map` of its issuer, and the registration of the client hold.',
        examples: ['user/Observation.rs user/Patient.rs'],
      }),
      audiences: z.array(text).default([]).meta({
        description:
          'What the tokens that are brought may be issued for, beside the URLs of this server, of its FHIR endpoint, and `audiences` of that.',
      }),
    }),
  )
  .default([])
  .meta({
    description:
      'Token exchange (RFC 8693): an access token of another issuer in, a SMART token of this server out.',
  })
