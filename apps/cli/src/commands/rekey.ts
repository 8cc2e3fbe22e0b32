import type { MasterKeyStatus } from '@scopegate/server'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type AdminClient, connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'

/** As the admin API spells it. */
type Answer = Omit<MasterKeyStatus, 'remainingByColumn' | 'waitingFor'> & {
  readonly remaining_by_column: MasterKeyStatus['remainingByColumn']
  readonly waiting_for: readonly string[]
}

interface RekeyOptions {
  readonly url?: string
  readonly to?: string
  readonly status?: boolean
  readonly wait: boolean
  readonly leaveUnreadable?: boolean
  readonly json?: boolean
}

const POLL_MS = 1000

export function addRekey(secrets: Command, context: CliContext): void {
  secrets
    .command('rekey')
    .description('Change the master key while servers run: all that is stored is sealed anew')
    .option('--to <id>', 'the key to change to (default: the newest that the server knows)')
    .option('--status', 'say how far it is, change nothing')
    .option('--no-wait', 'begin, and do not wait for the end')
    .option('--leave-unreadable', 'end it although some values cannot be opened by any key')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
With a master key file (the default) the server puts a new key into it: nothing to prepare. Where
several servers each have a copy of that file, or \`secrets.masterKey\` refers to the key, first give
the new key to all of them, in front of the old one:

  secrets: { masterKey: [file:/run/secrets/master-key-new, file:/run/secrets/master-key] }

Can be interrupted, and the servers too, at any point: it goes on by itself. The old key is needed
until it says \`done\`; after that, remove it, and keep it apart for as long as backups from before.

Examples:
  scopegate secrets rekey
  scopegate secrets rekey --status --json

Exit code: 0 done (or begun, with --no-wait), 1 not.`,
    )
    .action(async (options: RekeyOptions) => {
      const isLook = options.status === true
      const scope = isLook ? 'admin/secrets.read' : 'admin/secrets.read admin/secrets.write'
      const admin = await connectAdmin(context, options.url, scope)
      const first = isLook ? await look(admin) : await begin(admin, options)
      const last = isLook || !options.wait ? first : await follow(admin, first, context, options)
      print(context, options.json === true, last, toText(last))
      if (!isLook && last.state === 'blocked') process.exitCode = 1
    })
}

function look(admin: AdminClient): Promise<Answer> {
  return admin.call<Answer>('GET', '/secrets/master-key')
}

function begin(admin: AdminClient, { to, leaveUnreadable }: RekeyOptions): Promise<Answer> {
  return admin.call<Answer>('POST', '/secrets/master-key/change', {
    ...(to !== undefined && { to }),
    ...(leaveUnreadable === true && { leave_unreadable: true }),
  })
}

/** Until it is done or cannot go on; a token lives five minutes, a large database takes longer. */
async function follow(
  admin: AdminClient,
  first: Answer,
  context: CliContext,
  options: RekeyOptions,
): Promise<Answer> {
  let status = first
  let client = admin
  let said = ''
  while (status.state === 'waiting' || status.state === 'resealing') {
    const progress = progressOf(status)
    if (progress !== said && options.json !== true) context.stderr.write(`${progress}\n`)
    said = progress
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    try {
      status = await look(client)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      client = await connectAdmin(context, options.url, 'admin/secrets.read')
      status = await look(client)
    }
  }
  return status
}

function progressOf({ state, waiting_for: waitingFor, remaining }: Answer): string {
  return state === 'waiting'
    ? `waiting for ${waitingFor.join(', ')} to seal with the new key`
    : `${remaining.toLocaleString('en')} values to seal anew`
}

function toText(status: Answer): string {
  const { state, current, former, remaining_by_column: columns, unreadable, servers } = status
  const table = formatTable(
    ['server', 'seals with', 'knows'],
    servers.map(({ name, seals, knows }) => [name, seals, knows.join(' ')]),
  )
  const said = {
    done: `done: everything is sealed with master key ${current}; others may be removed`,
    waiting: progressOf(status),
    resealing: progressOf(status),
    blocked: [
      `${unreadable} values cannot be opened by any key: they were altered, or their key is gone`,
      ...columns.map(({ column, rows }) => `  ${column}: ${rows}`),
      'find out why; `--leave-unreadable` leaves them as they are and ends the change',
    ].join('\n'),
  }[state]
  const needed = former.length > 0 ? [`needed until then: ${former.join(', ')}`] : []
  return [said, ...needed, '', table].join('\n')
}
