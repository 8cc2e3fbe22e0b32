import type { DoctorReport } from '@scopegate/server'
import type { Command } from 'commander'
import { configurationFinding } from '../configuration-finding.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, print } from '../context.ts'
import { formatFindings } from '../format-findings.ts'
import { addDoctorConnection } from './doctor-connection.ts'

interface DoctorOptions {
  readonly config?: string
  readonly data?: string
  readonly running?: boolean
  readonly url?: string
  readonly timeout?: string
  readonly json?: boolean
  readonly open?: boolean
}

type Finding = DoctorReport['findings'][number]

export function addDoctor(program: Command, context: CliContext): void {
  const doctor = program
    .command('doctor')
    .description('Look whether everything is in order: configuration, issuers, upstreams, storage')
    .option('--config <file>', 'the configuration file (default: scopegate.yaml)')
    .option('--data <dir>', 'the data directory')
    .option('--running', 'ask the running server, as it sees the others')
    .option('--url <url>', 'with --running: the server (default: the one this user started last)')
    .option('--timeout <seconds>', 'how long each answer may take', '5')
    .option('--json', 'print JSON')
    .option('--open', 'the report of the running server as a page: its address, and a token for it')
    .addHelpText(
      'after',
      `
Changes nothing, sends no secret. A local CA is known to it with NODE_EXTRA_CA_CERTS=ca.pem.

Examples:
  scopegate doctor
  scopegate doctor --config prod.yaml --json
  scopegate doctor --running
  scopegate doctor --open
  scopegate doctor connection lab    one connection, step by step

Exit code: 0 in order, 1 with warnings, 2 with failures.`,
    )
    .action(async (options: DoctorOptions) => {
      if (options.open) return tellPage(context, options)
      const report = await reportOf(context, options)
      print(context, options.json === true, report, formatFindings(report))
      process.exitCode = { pass: 0, warn: 1, fail: 2 }[report.outcome]
    })
  addDoctorConnection(doctor, context)
}

/**
 * Where the page is, and a token that opens it and nothing else. The token is typed into the page, so
 * that it stands in no address, history or log.
 */
async function tellPage(context: CliContext, options: DoctorOptions): Promise<void> {
  const admin = await connectAdmin(context, options.url, 'admin/doctor.read')
  const page = admin.adminUrl.replace(/\/api$/, '/doctor')
  const { token } = admin
  print(
    context,
    options.json === true,
    { page, token },
    `Open ${page} and paste this token:\n\n${token}\n`,
  )
}

async function reportOf(context: CliContext, options: DoctorOptions): Promise<DoctorReport> {
  if (options.running) {
    const admin = await connectAdmin(context, options.url, 'admin/doctor.read')
    return admin.call<DoctorReport>('GET', '/doctor')
  }
  const { ConfigError, examine, readConfig } = await import('@scopegate/server')
  try {
    const config = readConfig(
      {
        cwd: context.cwd,
        ...(options.config !== undefined && { configFile: options.config }),
        ...(options.data !== undefined && { dataDir: options.data }),
      },
      context.environment,
    )
    const seconds = Math.min(Math.max(Number(options.timeout) || 5, 0.1), 60)
    return await examine({
      config,
      environment: context.environment,
      nowMs: Date.now,
      timeoutMs: seconds * 1000,
      ...(options.json !== true && context.stderr.isTTY === true && progressOn(context)),
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { outcome: 'fail', findings: error.problems.map(configurationFinding) }
  }
}

/** One line that says what is still awaited. */
function progressOn({ stderr }: CliContext) {
  const awaited = new Set<string>()
  return {
    onProgress(subject: string, findings: readonly Finding[] | undefined) {
      if (findings === undefined) awaited.add(subject)
      else awaited.delete(subject)
      const width = (stderr.columns ?? 80) - 1
      const text = awaited.size === 0 ? '' : `looking at ${[...awaited].join(', ')} …`
      stderr.write(`\r\u001b[K${text.slice(0, width)}`)
    },
  }
}
