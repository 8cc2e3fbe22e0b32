import { z } from 'zod'

/** What a secret must look like in a configuration file: a place to read it from, never the value. */
const SECRET_REFERENCE = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/

export const secretReference = z
  .string()
  .regex(SECRET_REFERENCE, 'a secret stands here itself; only a reference to it may')
  .meta({
    description: 'A secret reference: `env:NAME` or `file:/run/secrets/name`.',
    examples: ['env:DATABASE_URL', 'file:/run/secrets/database-url'],
    fix: 'put the value into an environment variable or a file and write `env:NAME` or `file:/path` here',
    secret: true,
  })

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'not an http or https URL' })
  .refine((url) => !hasPassword(url), 'a URL with a user name or password in it')
  .meta({ fix: 'write a full URL such as https://idp.example, without credentials' })

function hasPassword(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.username !== '' || url.password !== '')
}

export const seconds = (least: number, most: number) => z.int().min(least).max(most)
