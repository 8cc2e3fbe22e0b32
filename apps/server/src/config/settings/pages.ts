import { z } from 'zod'

const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'not a colour')

export const pages = z
  .strictObject({
    name: z.string().min(1).max(60).default('Scopegate').meta({
      description: 'What the pages call this place, such as the name of the hospital.',
    }),
    logoFile: z.string().min(1).optional().meta({
      description: 'An SVG or PNG file shown above it, relative to this file.',
    }),
    colour: colour.optional().meta({
      description: 'The colour of buttons and links.',
      examples: ['#0b5cad'],
      fix: 'write six hexadecimal digits, such as #0b5cad',
    }),
    frameAncestors: z
      .array(z.url({ protocol: /^https$/ }))
      .default([])
      .meta({
        description:
          'Origins that may show the pages in a frame: EHRs that embed apps. Nobody may by default.',
        examples: [['https://ehr.example.org']],
        fix: 'write an origin such as https://ehr.example.org',
      }),
  })
  .prefault({})
  .meta({ description: 'What people see: sign-in, choice of patient, consent.' })
