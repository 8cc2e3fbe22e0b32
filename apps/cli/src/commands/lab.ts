import { resolve } from 'node:path'
import { createLabIssuer, openLabKeys } from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'
import { addLabProvider } from './lab-provider.ts'

interface TokenOptions {
  readonly scope: string
  readonly audience: string
  readonly issuer: string
  readonly key: string
  readonly publicKeys?: string
  readonly patient?: string
  readonly fhirUser?: string
  readonly subject?: string
  readonly clientId?: string
  readonly expiresIn: string
  readonly json?: boolean
}

export function addLab(program: Command, context: CliContext): void {
  const lab = program
    .command('lab')
    .description('Tools for learning and testing; never for production')
    .addHelpText(
      'after',
      '\nExample:\n  scopegate lab token --scope "patient/Observation.rs" --patient p1',
    )
  addLabProvider(lab, context)
  lab
    .command('token')
    .description('Mint an access token with a key file of your own')
    .requiredOption('--scope <scope>', 'scopes, separated by spaces')
    .option('--audience <url>', 'who it is for', 'http://127.0.0.1:8080/fhir/r4')
    .option('--issuer <url>', 'the `iss` it names', 'http://lab.localhost')
    .option('--key <file>', 'private keys; made when missing', 'lab-private-keys.json')
    .option('--public-keys <file>', 'also write the public key set, for `issuers[].keysFile`')
    .option('--patient <id>', 'the patient in context')
    .option('--fhir-user <reference>', 'such as Practitioner/1')
    .option('--subject <sub>', 'the `sub`')
    .option('--client-id <id>', 'the `client_id`')
    .option('--expires-in <seconds>', 'lifetime', '300')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The server accepts it when its configuration trusts the issuer:

  issuers:
    - { issuer: http://lab.localhost, keysFile: ./lab-keys.json }
  fhir:
    r4: { trust: [self, http://lab.localhost] }

Examples:
  scopegate lab token --public-keys lab-keys.json --scope "patient/Observation.rs" --patient p1
  scopegate lab token --scope "user/*.rs" --fhir-user Practitioner/1`,
    )
    .action((options: TokenOptions) => {
      const seconds = Number(options.expiresIn)
      if (!Number.isInteger(seconds)) {
        throw new CliError('--expires-in takes whole seconds', {
          why: `got \`${options.expiresIn}\``,
        })
      }
      const keys = openLabKeys(
        resolve(context.cwd, options.key),
        options.publicKeys && resolve(context.cwd, options.publicKeys),
      )
      const token = createLabIssuer({ issuer: options.issuer, keys }).mintToken({
        scope: options.scope,
        audience: options.audience,
        expiresInSeconds: seconds,
        ...(options.patient !== undefined && { patient: options.patient }),
        ...(options.fhirUser !== undefined && { fhirUser: options.fhirUser }),
        ...(options.subject !== undefined && { subject: options.subject }),
        ...(options.clientId !== undefined && { clientId: options.clientId }),
      })
      print(
        context,
        options.json === true,
        { access_token: token, token_type: 'Bearer', expires_in: seconds, scope: options.scope },
        token,
      )
    })
}
