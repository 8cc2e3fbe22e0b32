import { z } from 'zod'

export const audit = z
  .strictObject({
    mode: z.enum(['required', 'best-effort']).default('required').meta({
      description:
        '`required`: a request whose audit entry cannot be written is refused. `best-effort`: it is answered.',
    }),
    retentionDays: z.int().min(1).max(36_500).default(3650).meta({
      description: 'How long access and admin audit entries are kept.',
    }),
    traceLimit: z.int().min(0).max(10_000_000).default(100_000).meta({
      description:
        'How many explained requests are kept for `scopegate explain` and the admin API.',
    }),
    traceDays: z.int().min(1).max(365).default(7).meta({
      description: 'How long explained requests are kept at most.',
    }),
  })
  .prefault({})
  .meta({ description: 'What is recorded.', restart: true })
