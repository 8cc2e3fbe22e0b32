import type { Command } from 'commander'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { oneLine } from '../one-line.ts'
import { addConnectionAuthorize } from './connection-authorize.ts'

export interface ConnectionAnswer {
  readonly name: string
  readonly preset: string
  readonly grant: string
  readonly clientId: string
  readonly authentication: string
  readonly issuer?: string
  readonly tokenEndpoint?: string
  readonly audience?: string
  readonly askedScopes: readonly string[]
  readonly callers: readonly string[]
  readonly canSignIn: boolean
  readonly certificateExpiresAt?: number
  readonly state: keyof typeof MEANING
  readonly expiresAt?: number
  readonly expiresInSeconds?: number
  readonly nextAttemptAt?: number
  readonly lastFetchedAt?: number
  readonly scopes?: readonly string[]
  readonly warnings: readonly string[]
  readonly lastFailure?: {
    readonly at: number
    readonly kind: string
    readonly code: string
    readonly cause: string
    readonly fix: string
    readonly provider?: Readonly<Record<string, unknown>>
  }
  readonly hits: number
  readonly fetches: number
  readonly failures: number
  readonly waiting: number
}

interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

const MEANING = {
  idle: 'nobody asked for a token yet',
  fresh: 'a token is there',
  due: 'a token is there, and is being renewed',
  overdue: 'a token is there, and callers wait for a new one',
  expired: 'there is no token; the next call asks for one',
  open: 'there is no token, and the provider is not asked before the next attempt',
  'signed-out': 'a user must sign in: scopegate connection authorize',
} as const

export function addConnection(program: Command, context: CliContext): void {
  const connections = program
    .command('connection')
    .description('Connections to other providers: their tokens, why there is none, sign-in')
    .addHelpText(
      'after',
      `
Examples:
  scopegate connection list
  scopegate connection show lab
  scopegate connection authorize mailbox
  scopegate doctor connection lab      step by step, what is in order and what is not`,
    )

  common(connections.command('list').description('List connections with the state of their tokens'))
    .addHelpText('after', '\nExample:\n  scopegate connection list --json')
    .action(async (options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/connections.read')
      const answer = await admin.call<{ connections: readonly ConnectionAnswer[] }>(
        'GET',
        '/connections',
      )
      const rows = answer.connections.map((each) => [
        each.name,
        each.state,
        each.expiresInSeconds === undefined ? '–' : `${each.expiresInSeconds} s`,
        String(each.fetches),
        String(each.hits),
        String(each.waiting),
        each.lastFailure === undefined ? '' : oneLine(each.lastFailure.code),
      ])
      const header = ['name', 'state', 'expires in', 'fetches', 'hits', 'waiting', 'last failure']
      const text =
        rows.length === 0
          ? 'no connections; they are declared under `connections` of the configuration'
          : formatTable(header, rows)
      print(context, options.json === true, answer.connections, text)
    })

  common(connections.command('show <name>').description('Show one, with what its provider said'))
    .addHelpText('after', '\nExample:\n  scopegate connection show lab')
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/connections.read')
      const shown = await admin.call<ConnectionAnswer>('GET', pathOf(name))
      print(context, options.json === true, shown, describe(shown))
    })

  common(
    connections
      .command('retry <name>')
      .description('Ask the provider again at the next call, whatever it said before'),
  )
    .addHelpText('after', '\nExample:\n  scopegate connection retry lab')
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/connections.write')
      const shown = await admin.call<ConnectionAnswer>('POST', `${pathOf(name)}/retry`)
      print(context, options.json === true, shown, `${shown.name}: the next call asks the provider`)
    })

  addConnectionAuthorize(connections, context)
}

/** Its address in the admin API. */
export function pathOf(name: string): string {
  return `/connections/${encodeURIComponent(name)}`
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}

function describe(shown: ConnectionAnswer): string {
  const { lastFailure: failure } = shown
  const lines: (readonly [string, string | undefined])[] = [
    ['state', `${shown.state}: ${MEANING[shown.state] ?? ''}`],
    ['expires', shown.expiresAt && `${time(shown.expiresAt)} (in ${shown.expiresInSeconds} s)`],
    ['next attempt', shown.nextAttemptAt && time(shown.nextAttemptAt)],
    ['last fetched', shown.lastFetchedAt && time(shown.lastFetchedAt)],
    ['provider', `${shown.preset}, ${shown.tokenEndpoint ?? shown.issuer ?? 'by discovery'}`],
    ['client', `${shown.clientId}, ${shown.grant}, ${shown.authentication}`],
    ['certificate', shown.certificateExpiresAt && `until ${time(shown.certificateExpiresAt)}`],
    ['asked scopes', shown.askedScopes.join(' ')],
    ['granted', shown.scopes?.join(' ')],
    ['audience', shown.audience],
    ['callers', shown.callers.join(', ')],
    ['warnings', shown.warnings.join(', ')],
    [
      'figures',
      `${shown.hits} from memory, ${shown.fetches} fetched, ${shown.failures} failed, ${shown.waiting} waiting`,
    ],
    ['last failure', failure && `${time(failure.at)} ${failure.code} (${failure.kind})`],
    ['  why', failure?.cause],
    ['  fix', failure?.fix],
    ['  provider', failure?.provider && providerWords(failure.provider)],
  ].map(([name, value]) => [String(name), value ? String(value) : undefined] as const)
  return [
    shown.name,
    ...lines.flatMap(([name, value]) =>
      value === undefined ? [] : [`  ${name.padEnd(14)}${oneLine(value)}`],
    ),
  ].join('\n')
}

function providerWords(provider: Readonly<Record<string, unknown>>): string {
  return ['status', 'error', 'description', 'errorUri', 'traceId', 'correlationId', 'excerpt']
    .flatMap((name) => (provider[name] === undefined ? [] : [String(provider[name])]))
    .join(' · ')
}

const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).concat('Z')
