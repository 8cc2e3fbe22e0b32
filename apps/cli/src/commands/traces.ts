import type { AnyCheck } from '@scopegate/checks'
import type { Command } from 'commander'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'

interface TraceAnswer {
  readonly correlationId: string
  readonly atMs: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: string
  readonly clientId?: string
  readonly checks: readonly AnyCheck[]
}

interface TracesOptions {
  readonly id?: string
  readonly client?: string
  readonly outcome?: string
  readonly limit?: string
  readonly url?: string
  readonly json?: boolean
}

export function addTraces(program: Command, context: CliContext): void {
  program
    .command('traces')
    .description('Find requests that were made, to the FHIR endpoint and for tokens')
    .option('--id <id>', 'by correlation id')
    .option('--client <client_id>', 'by client')
    .option('--outcome <outcome>', 'permitted, refused, absent or failed')
    .option('--limit <n>', 'at most so many, newest first', '20')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON, with every check')
    .addHelpText(
      'after',
      `
Refused, absent and failed requests are all kept, permitted ones in samples, up to audit.traceLimit.

Examples:
  scopegate traces --outcome refused
  scopegate traces --client lab-reader --limit 5
  scopegate traces --id 01J9ZK… --json

All checks of one of them: scopegate explain --id ID`,
    )
    .action(async (options: TracesOptions) => {
      const query = new URLSearchParams()
      if (options.id !== undefined) query.set('correlation_id', options.id)
      if (options.client !== undefined) query.set('client_id', options.client)
      if (options.outcome !== undefined) query.set('outcome', options.outcome)
      if (options.limit !== undefined) query.set('limit', options.limit)
      const admin = await connectAdmin(context, options.url, 'admin/traces.read')
      const { traces } = await admin.call<{ traces: readonly TraceAnswer[] }>(
        'GET',
        `/traces?${query}`,
      )
      const text = traces.length === 0 ? 'no trace fits' : formatTable(HEADER, traces.map(rowOf))
      print(context, options.json === true, traces, text)
    })
}

const HEADER = ['time', 'status', 'reason', 'client', 'correlation id', 'request']

function rowOf(trace: TraceAnswer): string[] {
  const failure = trace.checks.find(({ outcome }) => outcome === 'fail')
  return [
    new Date(trace.atMs).toISOString().slice(0, 19),
    String(trace.status),
    failure?.code ?? trace.outcome,
    trace.clientId ?? '–',
    trace.correlationId,
    `${trace.method} ${trace.path}`,
  ]
}
