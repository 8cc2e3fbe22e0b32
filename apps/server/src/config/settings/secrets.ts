import { z } from 'zod'

export const secrets = z
  .strictObject({
    masterKeyFile: z.string().min(1).optional().meta({
      description:
        'Seals signing keys at rest. Default: `master.key` in `storage.dir`; made at the first start, mode 0600. Several servers on one database need the same. Keep a copy apart from database backups.',
    }),
    allowLiterals: z.boolean().default(false).meta({
      description:
        'For development only: takes `literal:VALUE` where a secret is referred to. Every start warns of it, and so does `scopegate doctor`.',
    }),
  })
  .prefault({})
  .meta({
    description: 'How secrets are read, and kept at rest; see docs/reference/secrets.md.',
    restart: true,
  })
