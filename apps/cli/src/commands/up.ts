import type { Command } from 'commander'
import type { CliContext } from '../context.ts'

export interface UpOptions {
  readonly config?: string
  readonly data?: string
  readonly port?: string
  readonly tls?: boolean
  readonly tlsName: readonly string[]
  readonly sample: boolean
  readonly json?: boolean
}

export function addUp(program: Command, context: CliContext): void {
  program
    .command('up', { isDefault: false })
    .description('Start the server, with its embedded database and, the first time, sample data')
    .option('--config <file>', 'configuration (default: scopegate.yaml, if there is one)')
    .option('--data <folder>', 'data directory (default: .scopegate)')
    .option('--port <number>', 'port (default: 8080)')
    .option('--tls', 'https on https://localhost:8443, with a certificate of a local CA')
    .option(
      '--tls-name <name>',
      'a further host name or IP address of the certificate; may be repeated',
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .option('--no-sample', 'no sample data and no sample clients')
    .option('--json', 'nothing but JSON log lines on standard output')
    .addHelpText(
      'after',
      `
Examples:
  scopegate up
  scopegate up --port 9000 --data ./data --no-sample
  scopegate up --config scopegate.yaml --json
  scopegate up --tls --tls-name fhir.lab.example

Ends on SIGTERM or Ctrl-C: requests in flight may finish (server.drainSeconds, 10 s).`,
    )
    .action(async (options: UpOptions) => {
      // The whole server is loaded only where it runs: other commands start in a fraction of that.
      const { up } = await import('./run-up.ts')
      await up(options, context)
    })
}
