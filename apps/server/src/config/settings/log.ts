import { z } from 'zod'

export const log = z
  .strictObject({
    level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info').meta({
      description: 'The least important line that is written.',
    }),
    format: z.enum(['auto', 'json', 'text']).default('auto').meta({
      description: '`auto`: text on a terminal, JSON elsewhere.',
      restart: true,
    }),
  })
  .prefault({})
  .meta({ description: 'Logs, on standard output.' })
