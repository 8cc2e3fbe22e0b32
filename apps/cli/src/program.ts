import { Command, CommanderError } from 'commander'
import { CliError, formatCliError } from './cli-error.ts'
import { addAudit } from './commands/audit.ts'
import { addClient } from './commands/client.ts'
import { addConfig } from './commands/config.ts'
import { addConnection } from './commands/connection.ts'
import { addData } from './commands/data.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExplain } from './commands/explain.ts'
import { addImport } from './commands/import.ts'
import { addKey } from './commands/key.ts'
import { addLab } from './commands/lab.ts'
import { addLaunch } from './commands/launch.ts'
import { addLearn } from './commands/learn.ts'
import { addRegistrationToken } from './commands/registration-token.ts'
import { addSample } from './commands/sample.ts'
import { addSecrets } from './commands/secrets.ts'
import { addSigningKeys } from './commands/signing-keys.ts'
import { addToken } from './commands/token.ts'
import { addTraces } from './commands/traces.ts'
import { addUp } from './commands/up.ts'
import { addUser } from './commands/user.ts'
import type { CliContext } from './context.ts'
import { version } from './version.ts'

/** The whole command line. */
export function createProgram(context: CliContext): Command {
  const program = new Command('scopegate')
    .description(
      'OAuth 2.0 for clinical data: issues tokens, guards FHIR endpoints, explains every refusal',
    )
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    })
    .addHelpText(
      'after',
      `
Start here:
  scopegate up                      a protected FHIR server with sample data
  scopegate client add NAME --scopes "system/Observation.rs?category=laboratory"
  scopegate explain --token "$TOKEN" GET /fhir/r4/Observation/123`,
    )
  addUp(program, context)
  addImport(program, context)
  addClient(program, context)
  addLaunch(program, context)
  addRegistrationToken(program, context)
  addUser(program, context)
  addKey(program, context)
  addSigningKeys(program, context)
  addExplain(program, context)
  addConnection(program, context)
  addToken(program, context)
  addDoctor(program, context)
  addLearn(program, context)
  addTraces(program, context)
  addSample(program, context)
  addLab(program, context)
  addConfig(program, context)
  addSecrets(program, context)
  addAudit(program, context)
  addData(program, context)
  sayWhereHelpIs(program, 'scopegate')
  return program
}

/** After a mistake in the arguments: the help of the command that was meant. */
function sayWhereHelpIs(command: Command, name: string): void {
  command.showHelpAfterError(
    `(${name} --help lists ${command.commands.length > 0 ? 'commands and options' : 'arguments and options'})`,
  )
  for (const each of command.commands) sayWhereHelpIs(each, `${name} ${each.name()}`)
}

/** Runs one command. @returns the exit code: 0 done, 1 not, 2 refused (explain) or not intact. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  process.exitCode = 0
  try {
    await createProgram(context).parseAsync(args, { from: 'user' })
    return Number(process.exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    const json = args.includes('--json')
    context.stderr.write(`${formatCliError(asCliError(error), json)}\n`)
    return error instanceof CliError ? error.exitCode : 1
  }
}

function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  // Errors of our own packages have texts for people: what, why, what to do.
  return new CliError(error instanceof Error ? error.message : String(error))
}
