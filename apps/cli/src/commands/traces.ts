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
  readonly code?: string
  readonly path?: string
  readonly limit?: string
  readonly follow?: boolean
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
    .option('--code <code>', 'by the code of the reason, such as audience_mismatch')
    .option(
      '--path <path>',
      'by the beginning of the path below the endpoint, such as /Observation',
    )
    .option('--follow', 'show requests as they come, until Ctrl-C')
    .option('--limit <n>', 'at most so many, newest first', '20')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON, with every check; with --follow a line each')
    .addHelpText(
      'after',
      `
Refused, absent and failed requests are all kept, permitted ones in samples, up to audit.traceLimit
and for audit.traceDays. Ids and search values are not in traces, but in the access audit.

Examples:
  scopegate traces --outcome refused
  scopegate traces --client lab-reader --limit 5
  scopegate traces --id 01J9ZK… --json
  scopegate traces --follow --outcome refused

All checks of one of them: scopegate explain --id ID`,
    )
    .action(async (options: TracesOptions) => {
      const query = new URLSearchParams()
      if (options.id !== undefined) query.set('correlation_id', options.id)
      if (options.client !== undefined) query.set('client_id', options.client)
      if (options.outcome !== undefined) query.set('outcome', options.outcome)
      if (options.code !== undefined) query.set('code', options.code)
      if (options.path !== undefined) query.set('path', options.path)
      if (options.follow) return followTraces(context, query, options)
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

/** Prints a line per trace. A token lives for minutes: when it ends, the next one goes on. */
async function followTraces(
  context: CliContext,
  query: URLSearchParams,
  { url, json }: TracesOptions,
): Promise<void> {
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  query.set('follow', 'true')
  try {
    while (!stop.signal.aborted) {
      const admin = await connectAdmin(context, url, 'admin/traces.read')
      for await (const data of admin.events(`/traces?${query}`, stop.signal)) {
        const trace = readTrace(data)
        if (trace === undefined) continue
        context.stdout.write(`${json === true ? JSON.stringify(trace) : rowOf(trace).join('  ')}\n`)
      }
      await new Promise((resolve) => setTimeout(resolve, stop.signal.aborted ? 0 : 1000))
    }
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

function readTrace(data: string): TraceAnswer | undefined {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
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
    oneLine(`${trace.method} ${trace.path}`),
  ]
}

// What callers sent draws no lines and moves no cursor here.
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
}
