import type { Command } from 'commander'
import { CliError } from '../../cli-error.ts'
import { connectAdmin } from '../../connection/admin-client.ts'
import { type CliContext, print } from '../../context.ts'
import { type CommonOptions, collect, common, type GrantAnswer, keyPath } from './key-answer.ts'

interface Holder {
  readonly client?: string
  readonly role?: string
}

interface GrantOptions extends CommonOptions, Holder {
  readonly audience: readonly string[]
  readonly issuer?: string
  readonly subject?: readonly string[]
  readonly maxSeconds: string
  readonly claim?: readonly string[]
  readonly alg?: readonly string[]
  readonly typ?: readonly string[]
  readonly header?: readonly string[]
}

/** `key grant` and `key revoke`. */
export function addKeyGrants(key: Command, context: CliContext): void {
  holderOptions(common(key.command('grant').argument('<name>')))
    .description('Let a client or role sign with a key it cannot see, within limits')
    .requiredOption('--audience <aud>', '`aud` it may ask for; may be repeated', collect)
    .option('--issuer <iss>', '`iss`, put in')
    .option('--subject <sub>', '`sub`, put in; of several the caller names one', collect)
    .option('--max-seconds <seconds>', 'the longest life of what is signed', '300')
    .option(
      '--claim <claim>',
      'another claim it may set: `name`, or `name=value`; may be repeated',
      collect,
    )
    .option('--alg <alg>', 'of those of the key; may be repeated (default: the first)', collect)
    .option('--typ <typ>', 'values of the header `typ` (default: JWT)', collect)
    .option('--header <member>', 'x5t, x5t#S256, x5c, jku (default: all but jku)', collect)
    .addHelpText(
      'after',
      `
Replaces what the client or role had on this key. The client also needs the scope admin/keys.sign.

Examples:
  scopegate key grant partner1 --client app-lab --issuer lab --subject lab --audience https://idp.example/token
  scopegate key grant google --client mailer --issuer sa@p.iam.gserviceaccount.com --subject a@x.example --subject b@x.example --audience https://oauth2.googleapis.com/token --claim scope=https://mail.google.com/ --max-seconds 3600
  scopegate key grant partner1 --role lab --audience https://idp.example --claim tenant=north --claim tenant=south`,
    )
    .action(async (name: string, options: GrantOptions) => {
      const { audience, issuer, subject, alg, typ, header } = options
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const granted = await admin.call<GrantAnswer>('POST', keyPath(name, 'grants'), {
        ...holderOf(options),
        audience,
        max_seconds: Number(options.maxSeconds),
        ...(issuer !== undefined && { issuer }),
        ...(subject && { subject }),
        ...(options.claim && { claims: claimsOf(options.claim) }),
        ...(alg && { algorithms: alg }),
        ...(typ && { types: typ }),
        ...(header && { headers: header }),
      })
      const who = granted.client === undefined ? `role ${granted.role}` : `client ${granted.client}`
      const text = `${who} may sign with ${name} for ${granted.audience.join(' ')}, up to ${granted.max_seconds} s`
      print(context, options.json === true, granted, text)
    })

  holderOptions(common(key.command('revoke').argument('<name>')))
    .description('Take a grant away; what was signed lives until it expires')
    .addHelpText('after', '\nExample:\n  scopegate key revoke partner1 --client app-lab')
    .action(async (name: string, options: CommonOptions & Holder) => {
      const [[kind, holder] = ['', '']] = Object.entries(holderOf(options))
      const admin = await connectAdmin(context, options.url, 'admin/keys.write')
      const revoked = await admin.call('DELETE', keyPath(name, 'grants', kind, holder))
      const text = `${kind} ${holder} may no longer sign with ${name}`
      print(context, options.json === true, revoked, text)
    })
}

function holderOptions(command: Command): Command {
  return command.option('--client <client_id>', 'the client').option('--role <role>', 'or the role')
}

function holderOf({ client, role }: Holder): Readonly<Record<string, string>> {
  if (client !== undefined && role === undefined) return { client }
  if (role !== undefined && client === undefined) return { role }
  throw new CliError('a grant is for one client or one role', {
    fix: 'give --client <client_id> or --role <role>',
  })
}

/** `name` allows any value, `name=value` that one; of several values each. */
function claimsOf(
  written: readonly string[],
): Readonly<Record<string, 'any' | readonly unknown[]>> {
  const claims = new Map<string, 'any' | unknown[]>()
  for (const text of written) {
    const [, name = text, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    const before = claims.get(name)
    if (value === undefined) claims.set(name, 'any')
    else if (before !== 'any') claims.set(name, [...(before ?? []), value])
  }
  return Object.fromEntries(claims)
}
