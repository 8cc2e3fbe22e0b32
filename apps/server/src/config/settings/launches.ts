import { z } from 'zod'
import { seconds } from './forms.ts'

export const launches = z
  .strictObject({
    seconds: seconds(10, 300).default(300).meta({
      description: 'Life of the handle of an EHR launch. It works once.',
    }),
    acceptForeign: z.boolean().default(false).meta({
      description:
        'Accepts the launch parameter of launchers that write the context themselves, as base64 of JSON. Nothing proves who wrote it: for development only.',
    }),
  })
  .prefault({})
  .meta({ description: 'EHR launches.' })
