import { z } from 'zod'

export const secrets = z
  .strictObject({
    masterKeyFile: z.string().min(1).optional().meta({
      description:
        'Seals signing keys at rest. Default: `master.key` in `storage.dir`; made at the first start, mode 0600. Several servers on one database need the same. Keep a copy apart from database backups.',
    }),
  })
  .prefault({})
  .meta({ description: 'Keys that protect secrets at rest.', restart: true })
