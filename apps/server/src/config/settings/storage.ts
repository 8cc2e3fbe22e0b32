import { z } from 'zod'
import { secretReference } from './forms.ts'

export const storage = z
  .strictObject({
    dir: z.string().min(1).default('.scopegate').meta({
      description:
        'The data directory: the embedded database and the master key. Relative to this file.',
    }),
    url: secretReference.optional().meta({
      description:
        'Your own PostgreSQL (15 or newer) instead of the embedded one; a reference, because the URL holds a password.',
      examples: ['env:DATABASE_URL'],
    }),
    poolSize: z.int().min(2).max(200).default(10).meta({
      description: 'Connections to the database.',
    }),
  })
  .prefault({})
  .meta({ description: 'Where data is kept.', restart: true })
