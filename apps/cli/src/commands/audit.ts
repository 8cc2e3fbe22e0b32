import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { oneLine } from '../one-line.ts'

interface Verification {
  readonly intact: boolean
  readonly entries: number
  readonly problem?: string
}

/** An entry, or a gap where entries were lost. */
interface Entry {
  readonly atMs: number
  readonly lostBefore?: number
  readonly action?: string
  readonly target?: string
  readonly clientId?: string
  readonly decision?: string
  readonly status?: number
  readonly detail?: Readonly<Record<string, unknown>>
}

interface ListOptions {
  readonly action?: string
  readonly client?: string
  readonly target?: string
  readonly id?: string
  readonly since?: string
  readonly limit: string
  readonly url?: string
  readonly json?: boolean
}

export function addAudit(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('The record of who accessed and changed what')
    .addHelpText(
      'after',
      '\nExamples:\n  scopegate audit list --action key.sign\n  scopegate audit verify',
    )
  audit
    .command('list')
    .description('What was done over the admin API: changes, tokens handed out, signatures')
    .option('--action <action>', 'such as key.sign; the beginning is enough: key.')
    .option('--client <client_id>', 'by whom')
    .option('--target <target>', 'to what, such as key/partner1')
    .option('--id <id>', 'by correlation id')
    .option('--since <time>', 'from then on: 2026-11-24, or with T08:00Z')
    .option('--limit <n>', 'at most so many, newest first; up to 500', '20')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON, with all details')
    .addHelpText(
      'after',
      `
No secret, token or claim stands in an entry, but fingerprints and hashes that they can be matched
with. Accesses to clinical data are a record of their own (table audit_access).

Examples:
  scopegate audit list --action key.sign --target key/partner1
  scopegate audit list --action connection.token --client app-lab --json
  scopegate audit list --action secret. --since 2026-11-24`,
    )
    .action(async (options: ListOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/audit.read')
      const { entries } = await admin.call<{ entries: readonly Entry[] }>(
        'GET',
        `/audit/entries?${queryOf(options)}`,
      )
      const text =
        entries.length === 0
          ? 'no entry fits'
          : formatTable(
              ['time', 'action', 'target', 'client', 'status', 'detail'],
              entries.map(rowOf),
            )
      print(context, options.json === true, entries, text)
    })
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

function queryOf({ action, client, target, id, since, limit }: ListOptions): URLSearchParams {
  const fromMs = since === undefined ? undefined : Date.parse(since)
  if (Number.isNaN(fromMs)) {
    throw new CliError('--since takes a time', {
      why: `got \`${since}\``,
      fix: 'write 2026-11-24, or 2026-11-24T08:00Z',
    })
  }
  return new URLSearchParams({
    limit,
    ...(action !== undefined && { action }),
    ...(client !== undefined && { client_id: client }),
    ...(target !== undefined && { target }),
    ...(id !== undefined && { correlation_id: id }),
    ...(fromMs !== undefined && { from_ms: String(fromMs) }),
  })
}

function rowOf({ atMs, lostBefore, detail = {}, ...entry }: Entry): string[] {
  const time = new Date(atMs).toISOString().slice(0, 19)
  if (lostBefore !== undefined) return [time, 'lost', '', '', '', `${lostBefore} entries`]
  const details = Object.entries(detail).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return [
    time,
    entry.action ?? '',
    entry.target ?? '',
    entry.clientId ?? '',
    `${entry.status ?? ''}${entry.decision === 'permitted' ? '' : ` ${entry.decision ?? ''}`}`,
    oneLine(details.join(' ')),
  ]
}
