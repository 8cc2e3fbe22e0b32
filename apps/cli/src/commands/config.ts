import type { Settings } from '@scopegate/server'
import type { Command } from 'commander'
import { type CliContext, print } from '../context.ts'

interface ConfigOptions {
  readonly config?: string
  readonly json?: boolean
}

export function addConfig(program: Command, context: CliContext): void {
  const config = program
    .command('config')
    .description('Check and show the configuration')
    .addHelpText(
      'after',
      '\nExamples:\n  scopegate config check\n  scopegate config diff --config prod.yaml',
    )

  add('check', 'Report every problem with its line and fix; exit code 1 if there is one', () => ({
    value: { ok: true },
    text: 'the configuration is fine',
  }))
  add('show', 'Print what holds, defaults included; secrets stay references', (read) => ({
    value: read,
    text: toYaml(read),
  }))
  add('diff', 'Print what differs from the defaults', (read, defaults) => {
    const changed = difference(read, defaults) ?? {}
    const same = Object.keys(changed).length === 0
    return { value: changed, text: same ? 'nothing differs from the defaults' : toYaml(changed) }
  })

  function add(
    name: string,
    description: string,
    render: (read: Settings, defaults: Settings) => { value: unknown; text: string },
  ): void {
    config
      .command(name)
      .description(description)
      .option('--config <file>', 'the configuration file (default: scopegate.yaml)')
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  scopegate config ${name} --config scopegate.yaml`)
      .action(async (options: ConfigOptions) => {
        const { readConfig, settings, shownSettings } = await import('@scopegate/server')
        const read = readConfig(
          { cwd: context.cwd, ...(options.config !== undefined && { configFile: options.config }) },
          context.environment,
        )
        const { value, text } = render(shownSettings(read.settings), settings.parse({}))
        print(context, options.json === true, value, text)
      })
  }
}

function difference(value: unknown, from: unknown): Record<string, unknown> | undefined {
  const changed: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value as object)) {
    const other = (from as Record<string, unknown> | undefined)?.[key]
    if (isGroup(item) && isGroup(other)) {
      const inner = difference(item, other)
      if (inner) changed[key] = inner
    } else if (JSON.stringify(item) !== JSON.stringify(other)) {
      changed[key] = item
    }
  }
  return Object.keys(changed).length > 0 ? changed : undefined
}

function isGroup(value: unknown): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Good enough for settings: groups by indentation, everything else as JSON, which is YAML. */
function toYaml(value: unknown, indent = ''): string {
  return Object.entries(value as object)
    .map(([key, item]) => {
      if (isGroup(item) && Object.keys(item).length > 0) {
        return `${indent}${key}:\n${toYaml(item, `${indent}  `)}`
      }
      return `${indent}${key}: ${JSON.stringify(item)}`
    })
    .join('\n')
}
