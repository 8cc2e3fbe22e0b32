import { z } from 'zod'
import type { ConfigProblem } from './config-error.ts'
import { didYouMean } from './did-you-mean.ts'
import { type LocatedYaml, orNothing, type Path } from './read-yaml.ts'
import { settings } from './settings.ts'

/** Turns what zod found into problems with their line, what stood there, and the fix. */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  yaml: LocatedYaml,
  file: string,
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.filter((key) => typeof key !== 'symbol') as Path
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(path, key, yaml, file))
    }
    const schema = schemaAt(path)
    const meta = (schema && describe(schema)) as { fix?: string } | undefined
    // Of an item of a list, what the list says.
    const list = typeof path.at(-1) === 'number' ? schemaAt(path.slice(0, -1)) : undefined
    const settingsFix = meta?.fix ?? (list && describe(list)?.fix)
    const fix = issue.code === 'custom' ? (issue.params?.fix ?? settingsFix) : settingsFix
    return [
      {
        file,
        ...orNothing('line', yaml.lineOf(path)),
        path: formatPath(path),
        why: sayWhy(issue, valueAt(yaml.value, path), path),
        ...orNothing('fix', fix ?? fixFor(issue, valueAt(yaml.value, path))),
      },
    ]
  })
}

function unknownKey(path: Path, key: string, yaml: LocatedYaml, file: string): ConfigProblem {
  const known = keysOf(schemaAt(path))
  const meant = didYouMean(key, known)
  return {
    file,
    ...orNothing('line', yaml.lineOfKey(path, key)),
    path: formatPath([...path, key]),
    why: 'unknown key',
    fix: meant ? `did you mean \`${meant}\`?` : `known here: ${known.join(', ')}`,
  }
}

function sayWhy(issue: z.core.$ZodIssue, value: unknown, path: Path): string {
  const got =
    isSecret(path) || isUrl(value) || isToldBy(issue, value) ? '' : `, got ${formatValue(value)}`
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'required' : `${withArticle(issue.expected)} is expected${got}`
    case 'invalid_value':
      return `one of ${issue.values.map((allowed) => `\`${String(allowed)}\``).join(', ')} is expected${got}`
    case 'too_small':
      return `at least ${issue.minimum}${issue.origin === 'array' ? ' of them' : issue.origin === 'string' ? ' character' : ''} is expected${got}`
    case 'too_big':
      return `at most ${issue.maximum} is expected${got}`
    default:
      return `${issue.message}${got}`
  }
}

/** Nothing, a group, or what the message repeats anyway. */
function isToldBy({ code, message }: z.core.$ZodIssue, value: unknown): boolean {
  if (value === undefined || (code === 'custom' && typeof value === 'object')) return true
  return typeof value === 'string' && message.includes(`\`${value}\``)
}

function fixFor(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return undefined
  const meant = didYouMean(value, issue.values.map(String))
  return meant && `did you mean \`${meant}\`?`
}

/** Secrets, and URLs (which may hold one), are never repeated. */
function isSecret(path: Path): boolean {
  // What is inside of a secret, such as an item of a list, is one.
  return path.some((_, index) => {
    const schema = schemaAt(path.slice(0, index + 1))
    return schema !== undefined && describe(schema)?.secret === true
  })
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && /:\/\/[^/]*@/.test(value)
}

function describe(schema: z.core.$ZodType): { fix?: string; secret?: boolean } | undefined {
  for (let at: z.core.$ZodType | undefined = schema; at; at = inner(at)) {
    const meta = z.globalRegistry.get(at) as { fix?: string; secret?: boolean } | undefined
    if (meta?.fix || meta?.secret) return meta
  }
  return undefined
}

/** The definition at a path, without the wrappers for defaults. */
function schemaAt(path: Path): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = settings
  for (const key of path) {
    const at = unwrap(schema)
    if (at instanceof z.ZodObject) schema = at.shape[key as string]
    else if (at instanceof z.ZodArray) schema = at.element
    else if (at instanceof z.ZodRecord) schema = at.valueType
    else return undefined
  }
  return schema
}

function keysOf(schema: z.core.$ZodType | undefined): string[] {
  const at = unwrap(schema)
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let at = schema
  for (let next = at && inner(at); next; next = inner(next)) at = next
  return at
}

function inner(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  return (schema._zod.def as { innerType?: z.core.$ZodType }).innerType
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) => (at as Record<string | number, unknown> | undefined)?.[key],
    value,
  )
}

/** `clients[0].secret` */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`,
    '',
  )
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value !== null && typeof value === 'object') return 'a group of keys'
  const text = String(value)
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: '`true` or `false`',
}

function withArticle(expected: string): string {
  return ARTICLES[expected] ?? expected
}
