import { CALLER_DETAILS } from '@scopegate/checks'
import { z } from 'zod'

export const explain = z
  .strictObject({
    callers: z.enum(CALLER_DETAILS).default('standard').meta({
      description:
        'How much of a refusal its caller reads. `minimal`: the code and the correlation id. `standard`: the reason and what to do. `verbose`: also what was compared before data were looked at. Never anything that depends on data the caller may not see; operators see everything.',
    }),
  })
  .prefault({})
  .meta({ description: 'Explanations of refusals.' })
