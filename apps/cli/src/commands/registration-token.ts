import type { Command } from 'commander'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { wholeNumber } from './client/registration-options.ts'

interface TokenAnswer {
  readonly id: string
  readonly name: string
  readonly scopes: string
  readonly uses: number
  readonly uses_left: number
  readonly expires_at?: number
  readonly initial_access_token: string
  readonly registration_endpoint: string
}

interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function addRegistrationToken(program: Command, context: CliContext): void {
  const token = program
    .command('registration-token')
    .description('Let others register clients by themselves, within limits')
    .addHelpText(
      'after',
      '\nExample:\n  scopegate registration-token create --scopes "openid patient/*.rs" --redirect-host app.example',
    )

  common(token.command('create'))
    .description('Make an initial access token; it is shown once')
    .requiredOption('--scopes <scopes>', 'the most a client may register for')
    .option('--name <name>', 'who gets it')
    .option('--redirect-host <host>', 'a host that its addresses may have; repeatable', collect)
    .option('--grant <grant>', 'a grant type; repeatable (default: by scopes and hosts)', collect)
    .option('--auth-method <method>', 'how clients may authenticate; repeatable', collect)
    .option('--uses <n>', 'how many clients', '1')
    .option('--expires <seconds>', 'how long it lives', '86400')
    .addHelpText(
      'after',
      `
Examples:
  scopegate registration-token create --scopes "openid fhirUser patient/*.rs" --redirect-host app.example
  scopegate registration-token create --name partners --scopes "system/*.rs" --auth-method private_key_jwt --redirect-host keys.partner.example --uses 10 --expires 604800 --json`,
    )
    .action(
      async (
        options: CommonOptions & {
          scopes: string
          name?: string
          redirectHost?: string[]
          grant?: string[]
          authMethod?: string[]
          uses: string
          expires: string
        },
      ) => {
        const admin = await connectAdmin(context, options.url, 'admin/clients.write')
        const made = await admin.call<TokenAnswer>('POST', '/registration-tokens', {
          scopes: options.scopes,
          name: options.name,
          redirect_hosts: options.redirectHost,
          grants: options.grant,
          token_endpoint_auth_methods: options.authMethod,
          uses: wholeNumber('--uses', options.uses),
          expires_in: wholeNumber('--expires', options.expires),
        })
        print(
          context,
          options.json === true,
          made,
          `initial_access_token   ${made.initial_access_token}\nregistration_endpoint  ${made.registration_endpoint}\n\nThe token is not shown again.`,
        )
      },
    )

  common(token.command('list').description('List initial access tokens'))
    .addHelpText('after', '\nExample:\n  scopegate registration-token list --json')
    .action(async (options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.read')
      const { registration_tokens: tokens } = await admin.call<{
        registration_tokens: TokenAnswer[]
      }>('GET', '/registration-tokens')
      const rows = tokens.map((row) => [
        row.id,
        row.name,
        `${row.uses_left}/${row.uses}`,
        row.expires_at === undefined ? '' : new Date(row.expires_at * 1000).toISOString(),
        row.scopes,
      ])
      const table = formatTable(['id', 'name', 'left', 'expires', 'scopes'], rows)
      print(context, options.json === true, tokens, table)
    })

  common(token.command('remove').argument('<id>'))
    .description('End an initial access token; clients registered with it stay')
    .addHelpText('after', '\nExample:\n  scopegate registration-token remove 5b0c…')
    .action(async (id: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.write')
      const path = `/registration-tokens/${encodeURIComponent(id)}`
      const removed = await admin.call('DELETE', path)
      print(context, options.json === true, removed, `removed ${id}`)
    })
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}
