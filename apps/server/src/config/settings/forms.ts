import { parseSecretReference, SECRET_REFERENCE } from '@scopegate/secrets'
import { z } from 'zod'

/** What a secret must look like in a configuration file: a place to read it from, never the value. */
export const secretReference = z
  .string()
  .regex(SECRET_REFERENCE, { error: ({ input }) => sayWhyNoReference(String(input)) })
  .meta({
    description: 'A secret reference; see docs/reference/secrets.md.',
    examples: ['env:CLIENT_SECRET', 'file:/run/secrets/client-secret'],
    fix: 'put the value into an environment variable or a file and write `env:NAME`, `file:/path`, `file:/path#/json/pointer` or `env-file:/path#NAME` here',
    secret: true,
  })

/** Never with the text itself: that may be the secret. */
function sayWhyNoReference(text: string): string {
  if (/^(\$\w+|\$\{.*\}|\{\{.*\}\}|%\w+%)$/.test(text)) {
    return 'variables are not replaced in this file; a reference to one may stand here'
  }
  const parsed = parseSecretReference(text)
  return /^(env|file|env-file|literal):/.test(text) && !parsed.ok
    ? parsed.problem
    : 'a secret stands here itself; only a reference to it may'
}

/** Secrets of which any may hold while they are exchanged: the newest first. */
export const secretReferences = z.array(secretReference).min(1).max(4).meta({
  description: 'Secret references, newest first; the others are for the time of an exchange.',
  fix: 'write a list of one to four references, newest first, such as `[env:NEW, env:OLD]`',
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

/** A listener of its own; an IPv6 address stands in brackets. */
export const hostAndPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:]+):\d{1,5}$/, 'not `host:port`')
