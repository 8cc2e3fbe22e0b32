import { z } from 'zod'

export const passwords = z
  .strictObject({
    minimumLength: z.int().min(8).max(64).default(12).meta({
      description: 'The fewest characters a password may have.',
      fix: 'write 8 … 64; where no second factor is asked for, 12 or more',
    }),
    contextWords: z.array(z.string().min(3).max(60)).default([]).meta({
      description:
        'Words that make a password easy to guess here, such as the name of the hospital. The name of the pages and of the host are among them.',
    }),
  })
  .prefault({})
  .meta({ description: 'Passwords of the users kept here.' })
