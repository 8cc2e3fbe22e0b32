import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { addKeyMakers } from './key/add-keys.ts'
import { addKeyGrants } from './key/grant-keys.ts'
import {
  type CommonOptions,
  common,
  day,
  describeKeySet,
  type KeySetAnswer,
  keyPath,
} from './key/key-answer.ts'
import { addKeyUses } from './key/use-keys.ts'

/** `scopegate key`: keys that sign for others without being seen. */
export function addKey(program: Command, context: CliContext): void {
  const key = program
    .command('key')
    .description('Import, generate, grant, use and rotate keys that sign without being seen')
    .addHelpText(
      'after',
      `
Not to be confused with \`scopegate signing-keys\`: those sign the tokens of this server.

Examples:
  scopegate key import partner1 --file partner1.pem --certificate partner1.crt
  scopegate key grant partner1 --client app-lab --issuer lab --subject lab --audience https://idp.example/token
  scopegate key sign partner1 --claim aud=https://idp.example/token
  scopegate key rotate partner1`,
    )
  addKeyMakers(key, context)
  addReaders(key, context)
  addKeyGrants(key, context)
  addKeyUses(key, context)
  addChanges(key, context)
}

function addReaders(key: Command, context: CliContext): void {
  common(key.command('list').description('List keys, their certificates and warnings'))
    .addHelpText('after', '\nExample:\n  scopegate key list --json')
    .action(async (options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.read')
      const { keys } = await admin.call<{ keys: readonly KeySetAnswer[] }>('GET', '/keys')
      const rows = keys.map((set) => {
        const current = set.keys.find(({ state }) => state === 'current')
        const end = current?.certificate?.not_after
        return [
          set.name,
          set.algorithms.join(', '),
          current?.kid ?? '',
          end === undefined ? '' : day(end),
          String(set.grants.length),
          set.source,
          set.warnings.map(({ message }) => message).join('; '),
        ]
      })
      const header = ['name', 'alg', 'kid', 'certificate until', 'grants', 'source', '']
      print(context, options.json === true, keys, formatTable(header, rows))
    })

  common(key.command('show').argument('<name>'))
    .description('Show the public part of a key, and who may sign with it')
    .option('--certificate', 'print the certificate with its chain, PEM')
    .option('--jwks', 'print the published key set')
    .addHelpText(
      'after',
      '\nExamples:\n  scopegate key show partner1\n  scopegate key show partner1 --certificate > partner1.crt',
    )
    .action(
      async (name: string, options: CommonOptions & { certificate?: boolean; jwks?: boolean }) => {
        const admin = await connectAdmin(context, options.url, 'admin/keys.read')
        const set = await admin.call<KeySetAnswer>('GET', keyPath(name))
        const jwksUrl = `${admin.url}/keys/${name}/jwks.json`
        if (options.jwks) {
          const keys = set.keys.map(({ public_jwk }) => public_jwk)
          return print(context, true, { keys }, '')
        }
        if (!options.certificate) {
          return print(context, options.json === true, set, describeKeySet(set, jwksUrl))
        }
        const pem = set.keys.find(({ state }) => state === 'current')?.certificate?.pem
        if (pem === undefined) {
          throw new CliError(`${name} has no certificate`, {
            fix: `request one: scopegate key csr ${name} --subject "CN=${name}"`,
          })
        }
        print(context, false, undefined, pem.trimEnd())
      },
    )
}

function addChanges(key: Command, context: CliContext): void {
  common(key.command('rotate').argument('<name>'))
    .description('Sign with the next key from now on; the former one stays published')
    .option('--now', 'even if verifiers may not have seen the next key, or it has no certificate')
    .addHelpText(
      'after',
      `
The next key must have been published for ten minutes, so that whoever holds the key set has it.
If a key may have been stolen, use --now, and have the provider forget the former one.

Examples:
  scopegate key rotate partner1
  scopegate key import partner1 --next --file new.pem   # first, for a key that was imported`,
    )
    .action(async (name: string, options: CommonOptions & { now?: boolean }) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const force = options.now === true
      const set = await admin.call<KeySetAnswer>('POST', keyPath(name, 'rotate'), { force })
      const text = describeKeySet(set, `${admin.url}/keys/${name}/jwks.json`)
      print(context, options.json === true, set, text)
    })

  common(key.command('remove').argument('<name>'))
    .description('Remove a key, its grants and its published key set; it cannot be had back')
    .addHelpText('after', '\nExample:\n  scopegate key remove partner1')
    .action(async (name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const removed = await admin.call('DELETE', keyPath(name))
      print(context, options.json === true, removed, `removed ${name}`)
    })
}
