import { z } from 'zod'

export const sessions = z
  .strictObject({
    idleMinutes: z.int().min(1).max(1440).default(30).meta({
      description: 'A user who did nothing for so long signs in again.',
    }),
    absoluteHours: z.int().min(1).max(720).default(12).meta({
      description: 'A user signs in again after so long, whatever was done.',
    }),
  })
  .prefault({})
  .meta({ description: 'How long people stay signed in.' })
