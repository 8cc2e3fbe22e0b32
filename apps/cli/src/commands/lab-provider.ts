import { LAB_FAULTS, LAB_FLAVOURS, LAB_TENANT, serveLabOpenIdProvider } from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'

interface ProviderOptions {
  readonly flavour: string
  readonly port: string
  readonly fault: readonly string[]
}

/** `scopegate lab provider`: somewhere else to sign in, on this machine. */
export function addLabProvider(lab: Command, context: CliContext): void {
  lab
    .command('provider')
    .description('Run an OpenID Provider without passwords, to try sign-in elsewhere')
    .option('--flavour <name>', `whose shape: ${Object.keys(LAB_FLAVOURS).join(', ')}`, 'generic')
    .option('--port <port>', 'where it listens on loopback; 0: any that is free', '9100')
    .option('--fault <name...>', 'what it does wrong; see below', [])
    .addHelpText(
      'after',
      `
People choose a name and are signed in. It takes every client and every secret.

Faults:
${Object.entries(LAB_FAULTS)
  .map(([name, what]) => `  ${name.padEnd(22)} ${what}`)
  .join('\n')}

Examples:
  scopegate lab provider
  scopegate lab provider --flavour keycloak --fault wrong_nonce`,
    )
    .action(async (options: ProviderOptions) => {
      const flavour = oneOf(LAB_FLAVOURS, '--flavour', options.flavour)
      const faults = options.fault.map((name) => oneOf(LAB_FAULTS, '--fault', name))
      const port = Number(options.port)
      if (!Number.isInteger(port) || port < 0 || port > 65_535) {
        throw new CliError('--port takes a port', { why: `got \`${options.port}\`` })
      }
      const provider = await serveLabOpenIdProvider({ flavour, port }).catch((error: Error) => {
        throw new CliError('the provider cannot listen', {
          why: error.message,
          fix: 'give another --port',
        })
      })
      for (const fault of faults) provider.faults.add(fault)
      const tenant = flavour === 'entra' ? `\n      tenants: [${LAB_TENANT}]` : ''
      print(
        context,
        false,
        {},
        `A lab provider in the manner of ${LAB_FLAVOURS[flavour].label}: ${provider.issuer}
Users: ${provider.users.map(({ name }) => name).join(', ')}

Set a variable LAB_SECRET to anything, and write into scopegate.yaml:

login:
  providers:
    - name: lab
      preset: ${flavour}
      issuer: ${provider.issuer}${tenant}
      clientId: scopegate
      secret: env:LAB_SECRET
      claims: { fhirUser: "${flavour === 'entra' ? 'Practitioner/{employeeId}' : 'fhirUser'}" }

Ctrl-C ends it.`,
      )
      const ended = Promise.withResolvers<void>()
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
        process.once(signal, () => ended.resolve())
      }
      await ended.promise
      await provider.close()
    })
}

function oneOf<Name extends string>(
  table: Readonly<Record<Name, unknown>>,
  flag: string,
  name: string,
): Name {
  if (Object.hasOwn(table, name)) return name as Name
  throw new CliError(`${flag}: there is no \`${name}\``, {
    fix: `one of ${Object.keys(table).join(', ')}`,
  })
}
