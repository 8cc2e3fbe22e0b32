import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../../cli-error.ts'
import { connectAdmin } from '../../connection/admin-client.ts'
import { type CliContext, print } from '../../context.ts'
import { type CommonOptions, collect, common, type KeySetAnswer, keyPath } from './key-answer.ts'
import { readLocal } from './key-input.ts'

interface SignOptions extends CommonOptions {
  readonly claims?: string
  readonly claim?: readonly string[]
  readonly alg?: string
  readonly typ?: string
  readonly header?: readonly string[]
}

/** `key sign`, `key csr`, `key certificate` and `key export`. */
export function addKeyUses(key: Command, context: CliContext): void {
  common(key.command('sign').argument('<name>'))
    .description('Have claims signed, as a program does; prints the JWT')
    .option('--claims <json>', 'the claims as a JSON object')
    .option('--claim <name=value>', 'one claim; may be repeated', collect)
    .option('--alg <alg>', 'one of those that are granted')
    .option('--typ <typ>', 'one of those that are granted')
    .option('--header <member>', 'x5t, x5c or jku, beside x5t#S256; may be repeated', collect)
    .addHelpText(
      'after',
      `
Needs a grant of its own: the command line is the client \`scopegate-cli\`.

Examples:
  scopegate key grant partner1 --client scopegate-cli --audience https://idp.example/token
  scopegate key sign partner1 --claim aud=https://idp.example/token
  scopegate key sign partner1 --claims '{"aud":"https://idp.example/token"}' --header x5c --json`,
    )
    .action(async (name: string, options: SignOptions) => {
      const { alg, typ, header = [] } = options
      const body = {
        claims: claimsOf(options),
        header: {
          ...(alg !== undefined && { alg }),
          ...(typ !== undefined && { typ }),
          ...Object.fromEntries(header.map((member) => [member, true])),
        },
      }
      const admin = await connectAdmin(context, options.url, 'admin/keys.sign')
      const signed = await admin.call<{
        jwt: string
        warnings?: readonly { readonly message: string }[]
      }>('POST', keyPath(name, 'sign-jwt'), body)
      for (const { message } of signed.warnings ?? []) {
        context.stderr.write(`warning: ${message}\n`)
      }
      print(context, options.json === true, signed, signed.jwt)
    })

  common(key.command('csr').argument('<name>'))
    .description('Print a certificate signing request: for the next key, else for the current one')
    .requiredOption('--subject <name>', 'whom the certificate is to name: "CN=partner1, O=Clinic"')
    .option('--dns <name>', 'a DNS name; may be repeated', collect)
    .addHelpText(
      'after',
      '\nExample:\n  scopegate key csr partner1 --subject "CN=partner1, O=Clinic, C=AT" > partner1.csr',
    )
    .action(async (name: string, options: CommonOptions & { subject: string; dns?: string[] }) => {
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const made = await admin.call<{ request: string }>('POST', keyPath(name, 'request'), {
        subject: options.subject,
        ...(options.dns && { dns_names: options.dns }),
      })
      print(context, options.json === true, made, made.request.trimEnd())
    })

  common(key.command('certificate').argument('<name>'))
    .description('Attach the certificate of the current or the next key; it finds its key')
    .requiredOption('--file <file>', 'the certificate with its chain, PEM')
    .addHelpText('after', '\nExample:\n  scopegate key certificate partner1 --file partner1.crt')
    .action(async (name: string, options: CommonOptions & { file: string }) => {
      const certificate = readLocal(context, options.file).toString('utf8')
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const set = await admin.call<KeySetAnswer>('POST', keyPath(name, 'certificate'), {
        certificate,
      })
      print(context, options.json === true, set, `the certificate belongs to ${name} now`)
    })

  common(key.command('export').argument('<name>'))
    .description('Write the private key, encrypted; refused unless the configuration allows it')
    .requiredOption('--out <file>', 'where to write it, mode 0600')
    .requiredOption('--passphrase-file <file>', 'a file with the passphrase, 16 characters or more')
    .addHelpText(
      'after',
      `
Off by default: needs \`keyStore.allowExport: true\` in the configuration and the scope
admin/keys.export, and leaves an audit entry.

Example:
  scopegate key export partner1 --out partner1.pem --passphrase-file passphrase.txt`,
    )
    .action(
      async (name: string, options: CommonOptions & { out: string; passphraseFile: string }) => {
        const passphrase = readLocal(context, options.passphraseFile)
          .toString('utf8')
          .replace(/\r?\n$/, '')
        const admin = await connectAdmin(context, options.url, 'admin/keys.export')
        const { kid, encrypted_pkcs8: pem } = await admin.call<{
          kid: string
          encrypted_pkcs8: string
        }>('POST', keyPath(name, 'export'), { passphrase })
        writeFileSync(resolve(context.cwd, options.out), pem, { mode: 0o600, flag: 'wx' })
        const written = { name, kid, file: options.out }
        print(context, options.json === true, written, `wrote ${kid} to ${options.out}, encrypted`)
      },
    )
}

function claimsOf({ claims = '{}', claim = [] }: SignOptions): Record<string, unknown> {
  let given: unknown
  try {
    given = JSON.parse(claims)
  } catch {
    given = undefined
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CliError('--claims is not a JSON object', { fix: `such as '{"aud":"https://…"}'` })
  }
  const single = claim.map((text) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (name !== undefined) return [name, value] as const
    throw new CliError(`--claim ${text} has no value`, { fix: 'write --claim name=value' })
  })
  return { ...given, ...Object.fromEntries(single) }
}
