import { z } from 'zod'
import { settings } from './settings.ts'

/** The published JSON Schema, for completion in editors. */
export function configurationSchema(): Record<string, unknown> {
  return schemaWithout('fix', 'secret', 'restart')
}

/** @param keys how this program talks about a value, which is no part of the schema */
function schemaWithout(...keys: readonly string[]): Record<string, unknown> {
  const schema = z.toJSONSchema(settings, {
    io: 'input',
    override: ({ jsonSchema }) => {
      for (const key of keys) delete (jsonSchema as Record<string, unknown>)[key]
    },
  })
  return { ...schema, title: 'scopegate.yaml' }
}

export function configurationSchemaText(): string {
  return `${JSON.stringify(configurationSchema(), null, 2)}\n`
}

interface Node {
  readonly type?: string
  readonly description?: string
  /** Read at the start only. */
  readonly restart?: boolean
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly minimum?: number
  readonly maximum?: number
  readonly additionalProperties?: unknown
}

/** docs/configuration.md: every setting in a table, from the same definitions. */
export function configurationMarkdown(): string {
  const schema = schemaWithout('fix', 'secret') as Node
  const sections = Object.entries(schema.properties ?? {}).map(([name, node]) =>
    section(name, node),
  )
  return [
    '# Configuration',
    '',
    'One file, `scopegate.yaml`; `scopegate up --config FILE` names another. Without a file the defaults hold.',
    'Editors complete it with the schema: put `# yaml-language-server: $schema=./docs/scopegate.schema.json` on the first line.',
    '`scopegate config check` reports every problem at once, with its line and the fix; `scopegate config show` prints what holds; `scopegate config diff` prints what differs from the defaults.',
    '',
    'Secrets stand in it only as references: `env:NAME`, `file:/run/secrets/name`, `file:PATH#/json/pointer`, `env-file:PATH#NAME` (docs/reference/secrets.md). Paths are relative to the file. Unknown keys are refused.',
    '',
    'A change of the file comes into force while the server runs, except where a restart is named: docs/reference/reload.md.',
    '',
    '<!-- Made by `npm run check -- --fix` from apps/server/src/config/settings.ts. -->',
    '',
    ...sections,
  ].join('\n')
}

function section(name: string, node: Node): string {
  const whole = node.restart === true ? ['In force after a restart.'] : []
  const lines = [`## \`${name}\``, '', [node.description ?? '', ...whole].join(' '), '']
  lines.push('| Key | What it is | Values | Default |', '|---|---|---|---|')
  for (const row of rows(name, node)) lines.push(row)
  return `${lines.join('\n')}\n`
}

function rows(path: string, node: Node): string[] {
  if (node.items?.properties) return rows(`${path}[]`, node.items)
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const childPath = `${path}.${key}`
    if (child.properties ?? child.items?.properties) return rows(childPath, child)
    const cells = [
      `\`${childPath}\``,
      [child.description, example(child), child.restart === true && 'Needs a restart.']
        .filter(Boolean)
        .join(' '),
      values(child),
      defaultOf(child, node.required?.includes(key) === true),
    ]
    return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`]
  })
}

function example({ examples }: Node): string {
  if (!examples?.length) return ''
  return `Such as ${examples.map((value) => `\`${text(value)}\``).join(', ')}.`
}

function values(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (node.type === 'array') return `list of ${node.items?.enum ? values(node.items) : 'text'}`
  if (node.type === 'integer') return `${node.minimum ?? ''} … ${node.maximum ?? ''}`
  return { string: 'text', boolean: '`true`, `false`', object: 'group' }[node.type ?? ''] ?? ''
}

function defaultOf(node: Node, required: boolean): string {
  if (node.default !== undefined) return `\`${text(node.default)}\``
  return required ? 'required' : ''
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
