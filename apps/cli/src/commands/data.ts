import type { Command } from 'commander'
import type { CliContext } from '../context.ts'

export interface DataOptions {
  readonly config?: string
  readonly data?: string
  readonly url?: string
  readonly json?: boolean
}

export interface MoveOptions extends DataOptions {
  readonly toConfig?: string
  readonly toData?: string
}

export function addData(program: Command, context: CliContext): void {
  common(program.command('backup').argument('<file>', 'the archive to write; never overwritten'))
    .description('Write the whole database into one file, while the server runs or not')
    .option('--url <url>', 'the running server (default: the one this user started last)')
    .addHelpText('after', '\nExample:\n  scopegate backup scopegate-2026-01-31.backup')
    .action(async (file: string, options: DataOptions) => {
      await (await import('./run-data.ts')).runBackup(file, options, context)
    })

  common(program.command('restore').argument('<file>', 'an archive of `scopegate backup`'))
    .description('Fill an empty database from a backup; the server must not run')
    .addHelpText('after', '\nExample:\n  scopegate restore scopegate.backup --data ./restored')
    .action(async (file: string, options: DataOptions) => {
      await (await import('./run-data.ts')).runRestore(file, options, context)
    })

  common(program.command('move'))
    .description('Copy everything into another, empty database: embedded to your own, or back')
    .option('--to-config <file>', 'a configuration that names the target')
    .option('--to-data <folder>', 'an embedded target in this folder')
    .option('--url <url>', 'the running server (default: the one this user started last)')
    .addHelpText(
      'after',
      `
The source stays as it is, and may be running: what is written meanwhile is not in the copy.

Examples:
  scopegate move --to-config scopegate.production.yaml
  scopegate move --config scopegate.production.yaml --to-data ./local`,
    )
    .action(async (options: MoveOptions) => {
      await (await import('./run-data.ts')).runMove(options, context)
    })
}

function common(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: scopegate.yaml)')
    .option('--data <folder>', 'the data directory (default: .scopegate)')
    .option('--json', 'print JSON')
}
