import type { Command } from 'commander'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'

interface KeyAnswer {
  readonly kid: string
  readonly alg: string
  readonly state: 'next' | 'current' | 'retired'
  readonly created_at: number
  readonly retired_at?: number
}

interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

const MEANING = {
  next: 'published, signs after the next rotation',
  current: 'signs',
  retired: 'no longer signs; its last tokens may still live',
} as const

export function addSigningKeys(program: Command, context: CliContext): void {
  const keys = program
    .command('signing-keys')
    // Its name before there were others.
    .alias('keys')
    .description('List and rotate the keys that sign tokens')
    .addHelpText(
      'after',
      '\nExamples:\n  scopegate signing-keys list\n  scopegate signing-keys rotate',
    )

  common(keys.command('list').description('List the published keys, without their private part'))
    .addHelpText('after', '\nExample:\n  scopegate signing-keys list --json')
    .action(async (options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.read')
      const listed = await admin.call<{ keys: readonly KeyAnswer[] }>('GET', '/signing-keys')
      const rows = listed.keys.map((key) => [
        key.kid,
        key.alg,
        key.state,
        new Date(key.created_at * 1000).toISOString().slice(0, 16),
        MEANING[key.state],
      ])
      const text = formatTable(['kid', 'alg', 'state', 'created', ''], rows)
      print(context, options.json === true, listed.keys, text)
    })

  common(keys.command('rotate').description('Sign with the next key from now on'))
    .addHelpText(
      'after',
      `
Breaks no token: the former key stays published until its last token has expired. The server does
so by itself every \`tokens.rotateKeysDays\` (90). If keys may have been stolen, rotate twice: the
next one was made before, too. What they signed is refused seven minutes later.

Example:
  scopegate signing-keys rotate --json`,
    )
    .action(async (options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const rotated = await admin.call<{ kid: string; retired: string }>(
        'POST',
        '/signing-keys/rotate',
      )
      print(
        context,
        options.json === true,
        rotated,
        `${rotated.kid} signs\n${rotated.retired} is retired`,
      )
    })
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}
