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
  .refine(({ idleMinutes, absoluteHours }) => idleMinutes <= absoluteHours * 60, {
    path: ['idleMinutes'],
    message: 'longer than `absoluteHours`, which ends every session before',
    params: { fix: 'write at most 60 times `absoluteHours`, or raise that' },
  })
  .prefault({})
  .meta({ description: 'How long people stay signed in.' })
