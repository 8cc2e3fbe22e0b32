import { brunoCollection } from './bruno-kit.ts'
import { curlKit } from './curl-kit.ts'
import { httpEnvironment, httpFile, httpPrivateEnvironment } from './http-kit.ts'
import { type KitFacts, SECRET_PLACEHOLDER } from './kit-facts.ts'
import { postmanCollection, postmanEnvironment } from './postman-kit.ts'

/** What can be asked for by name. */
export const KIT_PARTS = ['curl', 'postman', 'environment', 'http', 'bruno'] as const
export type KitPart = (typeof KIT_PARTS)[number]

export function isKitPart(text: string): text is KitPart {
  return (KIT_PARTS as readonly string[]).includes(text)
}

/** One part of a kit: text, or a JSON value. No part holds a secret; the place for it is marked. */
export function kitPart(part: KitPart, facts: KitFacts): string | object {
  switch (part) {
    case 'curl':
      return curlKit(facts)
    case 'postman':
      return postmanCollection(facts)
    case 'environment':
      return postmanEnvironment(facts)
    case 'http':
      return httpFile(facts)
    case 'bruno':
      return { files: brunoCollection(facts) }
  }
}

/**
 * The whole kit as a folder of files that work together. A secret is only in the files that hold
 * values for a tool: `.env`, the Postman environment and `http-client.private.env.json`.
 */
export function kitFiles(
  facts: KitFacts,
  clientSecret = SECRET_PLACEHOLDER,
): Readonly<Record<string, string>> {
  const hidden = httpPrivateEnvironment(facts, clientSecret)
  return {
    'curl.sh': curlKit(facts),
    'postman_collection.json': json(postmanCollection(facts)),
    'postman_environment.json': json(postmanEnvironment(facts, clientSecret)),
    'requests.http': httpFile(facts),
    'http-client.env.json': json(httpEnvironment(facts)),
    ...(hidden && { 'http-client.private.env.json': json(hidden) }),
    ...(hidden && { '.env': `CLIENT_SECRET=${clientSecret}\n` }),
    '.gitignore': '.env\npostman_environment.json\nhttp-client.private.env.json\n',
    ...brunoCollection(facts),
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
