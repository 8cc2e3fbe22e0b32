import { LAB_FAULTS, LAB_FLAVOURS, LAB_TENANT, serveLabOpenIdProvider } from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'
import { oneOf, portOf } from './lab-flavour.ts'

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
      const port = portOf(options.port)
      const provider = await serveLabOpenIdProvider({ flavour, port }).catch((error: Error) => {
        throw new CliError('the provider cannot listen', {
          why: error.message,
          fix: 'give another --port',
        })
      })
      for (const fault of faults) provider.faults.add(fault)
      const isEntra = flavour.startsWith('entra')
      const tenant = isEntra ? `\n      tenants: [${LAB_TENANT}]` : ''
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
      preset: ${isEntra ? 'entra' : flavour}
      issuer: ${provider.issuer}${tenant}
      clientId: scopegate
      secret: env:LAB_SECRET
      claims: { fhirUser: "${isEntra ? 'Practitioner/{employeeId}' : 'fhirUser'}" }

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
