import type { ConnectionReport } from '@scopegate/server'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { configurationFinding } from '../configuration-finding.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, print } from '../context.ts'
import { formatFindings } from '../format-findings.ts'

interface DoctorConnectionOptions {
  readonly config?: string
  readonly data?: string
  readonly url?: string
  readonly running?: boolean
  readonly server?: string
  readonly timeout?: string
  readonly json?: boolean
}

/** One for each kind of failure, so that a script may branch. */
const EXIT_CODES: Readonly<Record<NonNullable<ConnectionReport['kind']>, number>> = {
  configuration: 2,
  administration: 3,
  'sign-in': 4,
  temporary: 5,
  rate: 6,
  clock: 7,
  network: 8,
  permission: 9,
}

export function addDoctorConnection(doctor: Command, context: CliContext): void {
  doctor
    .command('connection <name>')
    .description('Go the way of a token step by step, and explain what is refused, and by whom')
    .option('--config <file>', 'the configuration file (default: scopegate.yaml)')
    .option('--data <dir>', 'the data directory')
    .option('--url <url>', 'try the token at this resource, and explain its refusal')
    .option('--running', 'ask the running server, with the token that it uses')
    .option('--server <url>', 'with --running: the server (default: the one started last)')
    .option('--timeout <seconds>', 'how long each step may take', '10')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Looks at secret or key, proxy, name, TCP, TLS, discovery, issuer, clock, client authentication,
scope, and what stands in the token (aud, iss, ver, roles, expiry). With --url the token is sent
there: name only what may have it. The token itself is never shown. Without --running it makes one
token request with the secrets of the configuration; a refresh token is never used so.

Examples:
  scopegate doctor connection lab
  scopegate doctor connection lab --url https://fhir.lab.example/r4/Patient/1
  scopegate doctor connection mailbox --running --json

Exit code: 0 in order, 1 with warnings; else by the first failure: 2 configuration, 3 administration
there, 4 sign-in, 5 temporary, 6 rate, 7 clock, 8 network, 9 permission. docs/provider-errors.md
lists what is behind each code.`,
    )
    .action(async (name: string, _options: object, command: Command) => {
      // What the parent knows too, such as --json, it has taken.
      const options = command.optsWithGlobals<DoctorConnectionOptions>()
      const report = options.running
        ? await askServer(context, name, options)
        : await examineHere(context, name, options)
      print(context, options.json === true, report, formatFindings(report))
      process.exitCode =
        report.outcome === 'fail'
          ? EXIT_CODES[report.kind ?? 'configuration']
          : report.outcome === 'warn'
            ? 1
            : 0
    })
}

async function askServer(
  context: CliContext,
  name: string,
  { server, url }: DoctorConnectionOptions,
): Promise<ConnectionReport> {
  const admin = await connectAdmin(context, server, 'admin/connections.write')
  const body = url === undefined ? {} : { url }
  return admin.call('POST', `/connections/${encodeURIComponent(name)}/doctor`, body)
}

async function examineHere(
  context: CliContext,
  name: string,
  { config: configFile, data, url, timeout }: DoctorConnectionOptions,
): Promise<ConnectionReport> {
  if (url !== undefined && !/^https?:\/\//.test(url)) {
    throw new CliError('--url takes the address of a resource', {
      why: `got \`${url.slice(0, 200)}\``,
      fix: 'write it whole: https://fhir.lab.example/r4/Patient/1',
    })
  }
  const { ConfigError, examineConfiguredConnection, readConfig } = await import('@scopegate/server')
  try {
    const config = readConfig(
      {
        cwd: context.cwd,
        ...(configFile !== undefined && { configFile }),
        ...(data !== undefined && { dataDir: data }),
      },
      context.environment,
    )
    const seconds = Math.min(Math.max(Number(timeout) || 10, 0.1), 60)
    const report = await examineConfiguredConnection({
      ...{ config, name, environment: context.environment, nowMs: Date.now },
      timeoutMs: seconds * 1000,
      ...(url !== undefined && { resourceUrl: url }),
    })
    if (report !== undefined) return report
    const known = config.connections.map((each) => each.name)
    throw new CliError(`no connection \`${name}\``, {
      where: configFile ?? 'scopegate.yaml',
      exitCode: EXIT_CODES.configuration,
      fix: known.length === 0 ? 'declare it under `connections`' : `there are: ${known.join(', ')}`,
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return {
      ...{ connection: name, outcome: 'fail', kind: 'configuration' },
      findings: error.problems.map(configurationFinding),
    }
  }
}
