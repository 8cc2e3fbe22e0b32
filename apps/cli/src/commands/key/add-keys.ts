import type { Command } from 'commander'
import { connectAdmin } from '../../connection/admin-client.ts'
import { type CliContext, print } from '../../context.ts'
import {
  type CommonOptions,
  collect,
  common,
  describeKeySet,
  type KeySetAnswer,
  keyPath,
} from './key-answer.ts'
import { type MaterialOptions, materialMembers, materialOptions } from './key-input.ts'

interface AddOptions extends CommonOptions {
  readonly alg?: readonly string[]
  readonly whenExpired?: string
}

/** `key import` and `key generate`. */
export function addKeyMakers(key: Command, context: CliContext): void {
  keyOptions(materialOptions(common(key.command('import').argument('<name>'))))
    .description('Import a private key: from then on it signs, and is not to be had any more')
    .option('--next', 'as the key that follows: published now, signs after the rotation')
    .addHelpText(
      'after',
      `
The key is sealed with the master key of the server; no command and no answer gives it back. Delete
the file when you have a copy elsewhere, or none is needed.

Examples:
  scopegate key import partner1 --file partner1.pem --certificate partner1.crt
  scopegate key import partner1 --file partner1.pfx --passphrase-prompt --alg PS256
  scopegate key import google --file service-account.json
  scopegate key import partner1 --next --file partner1-2027.pem`,
    )
    .action(async (name: string, options: AddOptions & MaterialOptions & { next?: boolean }) => {
      const members = await materialMembers(context, options)
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const set = options.next
        ? await admin.call<KeySetAnswer>('POST', keyPath(name, 'next'), members)
        : await admin.call<KeySetAnswer>('POST', '/keys', { name, ...members, ...more(options) })
      tell(set, admin.url, options)
    })

  keyOptions(common(key.command('generate').argument('<name>')))
    .description('Make a key, and the one that follows it')
    .option(
      '--type <type>',
      'rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384, ec-p521 or ed25519',
      'rsa-2048',
    )
    .addHelpText(
      'after',
      `
Two are made: one signs, the next is published, so that a rotation breaks nothing. Neither ever
leaves the server. Register the address of the key set where it is to be trusted.

Examples:
  scopegate key generate epic --type rsa-2048 --alg RS384
  scopegate key generate partner1 --type ec-p256
  scopegate key generate entra --alg PS256`,
    )
    .action(async (name: string, options: AddOptions & { type: string }) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const body = { name, generate: options.type, ...more(options) }
      tell(await admin.call<KeySetAnswer>('POST', '/keys', body), admin.url, options)
    })

  function tell(set: KeySetAnswer, url: string, { json }: CommonOptions): void {
    print(context, json === true, set, describeKeySet(set, `${url}/keys/${set.name}/jwks.json`))
  }
}

function keyOptions(command: Command): Command {
  return command
    .option('--alg <alg>', 'what it signs with, the usual one first; may be repeated', collect)
    .option(
      '--when-expired <what>',
      '`refuse` (default) or `warn`, once its certificate has expired',
    )
}

function more({ alg, whenExpired }: AddOptions): Record<string, unknown> {
  return {
    ...(alg && { algorithms: alg }),
    ...(whenExpired !== undefined && { when_expired: whenExpired }),
  }
}
