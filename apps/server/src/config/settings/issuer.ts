import { z } from 'zod'
import { httpUrl } from './forms.ts'

export const issuer = z
  .strictObject({
    issuer: httpUrl.meta({ description: 'The `iss` of its tokens, exactly.' }),
    keysUrl: httpUrl.optional().meta({ description: 'Its JWK set. Default: from its discovery.' }),
    keysFile: z.string().min(1).optional().meta({
      description: 'Its JWK set in a file, relative to this file.',
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
      .meta({ description: 'Signature algorithms accepted. Default: every asymmetric one.' }),
    typ: z.enum(['at+jwt', 'any']).default('any').meta({
      description:
        '`at+jwt`: its access tokens say so in their header (RFC 9068). `any`: they do not; what is recognisably an ID token is refused all the same.',
    }),
  })
  .refine((value) => !(value.keysUrl && value.keysFile), {
    message: 'both `keysUrl` and `keysFile`',
    params: { fix: 'keep one of them' },
  })
  .meta({ description: 'An issuer whose tokens an endpoint may trust.' })
