import { z } from 'zod'
import { secretReference, secretReferences } from './forms.ts'

export const secrets = z
  .strictObject({
    masterKey: z
      .union([secretReference, secretReferences])
      .optional()
      .meta({
        description:
          'Seals signing keys, sign-ins and tokens at rest: a reference to 32 random bytes in base64 (`openssl rand -base64 32`), or a list of them, newest first, while the key is changed with `scopegate secrets rekey`. Every server on one database needs the same.',
        examples: ['file:/run/secrets/master-key'],
        fix: 'write a reference such as `file:/run/secrets/master-key`, or a list of one to four, newest first',
        secret: true,
      }),
    masterKeyFile: z.string().min(1).optional().meta({
      description:
        'Instead: the file that holds it. Default: `master.key` in `storage.dir`; made at the first start, mode 0600. Keep a copy apart from database backups.',
      restart: true,
    }),
    allowLiterals: z.boolean().default(false).meta({
      description:
        'For development only: takes `literal:VALUE` where a secret is referred to. Every start warns of it, and so does `scopegate doctor`.',
    }),
  })
  .refine(({ masterKey, masterKeyFile }) => !(masterKey && masterKeyFile), {
    message: 'both `masterKey` and `masterKeyFile`',
    params: { fix: 'keep one of them' },
  })
  .prefault({})
  .meta({ description: 'How secrets are read, and kept at rest; see docs/reference/secrets.md.' })
