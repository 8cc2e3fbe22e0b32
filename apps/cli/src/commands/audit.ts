import type { Command } from 'commander'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, print } from '../context.ts'

interface Verification {
  readonly intact: boolean
  readonly entries: number
  readonly problem?: string
}

export function addAudit(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('The record of who accessed and changed what')
    .addHelpText('after', '\nExample:\n  scopegate audit verify')
  audit
    .command('verify')
    .description('Check that no entry was changed or removed')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  scopegate audit verify --json\n\nExit code: 0 intact, 2 not.',
    )
    .action(async (options: { url?: string; json?: boolean }) => {
      const admin = await connectAdmin(context, options.url, 'admin/audit.read')
      const found = await admin.call<Verification>('GET', '/audit/verification')
      print(
        context,
        options.json === true,
        found,
        found.intact
          ? `intact: ${found.entries} entries, none changed or removed`
          : `not intact: ${found.problem ?? 'the chain is broken'}`,
      )
      if (!found.intact) process.exitCode = 2
    })
}
