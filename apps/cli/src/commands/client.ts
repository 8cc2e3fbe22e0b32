import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { trustingCurl } from '../shell-quote.ts'
import { type ClientAnswer, type CommonOptions, clientPath } from './client/client-answer.ts'
import { adminScopes, connectForClient } from './client/connect-for-client.ts'
import {
  type RegistrationOptions,
  registrationMembers,
  registrationOptions,
  wholeNumber,
} from './client/registration-options.ts'
import { prepareKitFolder, writeKit } from './client/write-kit.ts'

export function addClient(program: Command, context: CliContext): void {
  const client = program
    .command('client')
    .description('Add, list, show, change and remove clients')
    .addHelpText(
      'after',
      `
Examples:
  scopegate client add lab-reader --scopes "system/Observation.rs?category=laboratory"
  scopegate client add my-app --public --redirect-uri http://localhost:3000/callback --scopes "openid fhirUser launch/patient patient/*.rs"
  scopegate client list
  scopegate client rotate-secret lab-reader-bd62a1062`,
    )
  addAdd(client, context)
  addSet(client, context)
  addReaders(client, context)
  addRotate(client, context)
  addKit(client, context)

  common(client.command('remove').description('Remove a client').argument('<client_id>'))
    .addHelpText(
      'after',
      '\nTokens it holds stay valid until they expire (300 s by default).\n\nExample:\n  scopegate client remove lab-reader',
    )
    .action(async (id: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.write')
      const removed = await admin.call('DELETE', clientPath(id))
      print(context, options.json === true, removed, `removed ${id}`)
    })
}

function addAdd(client: Command, context: CliContext): void {
  const add = client.command('add').argument('[name]', 'what people call it')
  registrationOptions(
    common(add)
      .description('Add a client; its secret is shown once')
      .option('--name <name>', 'what people call it')
      .option('--id <client_id>', 'its client_id (default: made of the name)')
      .requiredOption('--scopes <scopes>', 'the most it may be granted, separated by spaces')
      .option('--kit <folder>', 'writes files to try it with: curl, Postman, Bruno, .http'),
  )
    .addHelpText(
      'after',
      `
Without --grant: \`authorization_code\` with redirect URIs, \`refresh_token\` with the scope
offline_access or online_access, \`client_credentials\` without redirect URIs or with system/ scopes.

Examples:
  scopegate client add lab-reader --scopes "system/Observation.rs?category=laboratory"
  scopegate client add loader --scopes "system/*.cruds" --json
  scopegate client add backend --scopes "system/*.rs" --jwks ./backend-jwks.json
  scopegate client add postman --scopes "system/*.rs" --kit ./postman-kit
  scopegate client add "Growth chart" --id growth-chart --public --redirect-uri https://app.example/callback \\
    --launch-url https://app.example/launch --scopes "launch openid fhirUser patient/*.rs offline_access"`,
    )
    .action(
      async (
        argument: string | undefined,
        options: CommonOptions & RegistrationOptions & { kit?: string },
      ) => {
        const name = argument ?? options.name
        if (name === undefined) {
          throw new CliError('a client needs a name', {
            fix: 'write it first, as in: scopegate client add "Growth chart" --scopes …',
          })
        }
        const members = registrationMembers(context, { ...options, name })
        if (options.kit !== undefined) prepareKitFolder(context, options.kit)
        // Whoever gives a client such scopes must have them.
        const scopes = ['admin/clients.read', 'admin/clients.write', ...adminScopes(options.scopes)]
        const admin = await connectAdmin(context, options.url, scopes.join(' '))
        const added = await admin.call<ClientAnswer>('POST', '/clients', members)
        // Shown before the files are written: nothing that fails now may swallow the secret.
        print(context, options.json === true, added, asText(added, admin.caFile))
        if (options.kit === undefined) return
        const folder = await writeKit(context, admin, {
          clientId: added.client_id,
          ...(added.client_secret !== undefined && { clientSecret: added.client_secret }),
          folder: options.kit,
        })
        const start = trustingCurl('./curl.sh', admin.caFile)
        context.stderr.write(`\nThe kit is in ${folder}; start with ${start}\n`)
      },
    )
}

function addSet(client: Command, context: CliContext): void {
  registrationOptions(
    common(client.command('set').argument('<client_id>'))
      .description('Change a client; what is not named stays')
      .option('--name <name>', 'what people call it')
      .option('--scopes <scopes>', 'the most it may be granted, separated by spaces'),
  )
    .option('--confidential', 'no longer --public')
    .option('--disable', 'refuse it at once')
    .option('--enable', 'let it in again')
    .option('--unset <members...>', 'back to the default, as the admin API names them: launch_url')
    .addHelpText(
      'after',
      `
Examples:
  scopegate client set lab-reader --scopes "system/Observation.rs"
  scopegate client set my-app --redirect-uri https://app.example/a --redirect-uri https://app.example/b
  scopegate client set my-app --unset launch_url access_token_seconds
  scopegate client set my-app --disable --json`,
    )
    .action(
      async (
        id: string,
        options: CommonOptions &
          RegistrationOptions & {
            confidential?: boolean
            disable?: boolean
            enable?: boolean
            unset?: readonly string[]
          },
      ) => {
        const members = {
          ...registrationMembers(context, options),
          ...(options.confidential && { public: false }),
          ...(options.disable && { disabled: true }),
          ...(options.enable && { disabled: false }),
          ...Object.fromEntries((options.unset ?? []).map((name) => [name, null])),
        }
        if (Object.keys(members).length === 0) {
          throw new CliError('nothing to change', { fix: 'see `scopegate client set --help`' })
        }
        const admin = await connectForClient(context, options.url, id, options.scopes)
        const changed = await admin.call<ClientAnswer>('PATCH', clientPath(id), members)
        const text =
          changed.client_secret === undefined ? `changed ${id}` : asText(changed, admin.caFile)
        print(context, options.json === true, changed, text)
      },
    )
}

function addReaders(client: Command, context: CliContext): void {
  common(client.command('list').description('List clients'))
    .addHelpText('after', '\nExample:\n  scopegate client list --json')
    .action(async (options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.read')
      const { clients } = await admin.call<{ clients: ClientAnswer[] }>('GET', '/clients')
      const rows = clients.map((row) => [
        row.client_id,
        row.name,
        row.source,
        row.disabled ? 'disabled' : row.authentication,
        row.scopes,
      ])
      print(
        context,
        options.json === true,
        clients,
        formatTable(['client_id', 'name', 'from', 'by', 'scopes'], rows),
      )
    })

  common(client.command('show').description('Show a client').argument('<client_id>'))
    .addHelpText('after', '\nExample:\n  scopegate client show lab-reader')
    .action(async (id: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.read')
      const shown = await admin.call<ClientAnswer>('GET', clientPath(id))
      const rows = Object.entries(shown)
        .filter(([name]) => name !== 'kit')
        .map(([name, value]) => [name, inWords(value)])
      print(context, options.json === true, shown, formatTable(['', ''], rows).trim())
    })
}

function addRotate(client: Command, context: CliContext): void {
  common(
    client
      .command('rotate-secret')
      .alias('rotate')
      .description('Replace the secret of a client; the new one is shown once')
      .argument('<client_id>')
      .option('--overlap <seconds>', 'how long the former secret goes on; 0: not at all', '86400'),
  )
    .addHelpText(
      'after',
      `
Examples:
  scopegate client rotate-secret lab-reader --json
  scopegate client rotate-secret lab-reader --overlap 0`,
    )
    .action(async (id: string, options: CommonOptions & { overlap: string }) => {
      const seconds = wholeNumber('--overlap', options.overlap)
      const admin = await connectForClient(context, options.url, id)
      const rotated = await admin.call<{ client_secret: string }>(
        'POST',
        `${clientPath(id)}/secret`,
        { overlap_seconds: seconds },
      )
      const former =
        seconds === 0
          ? 'The former secret works no more.'
          : `The former secret works for another ${seconds} s; --overlap 0 ends it at once.`
      print(
        context,
        options.json === true,
        rotated,
        `client_secret  ${rotated.client_secret}\n\nThe secret is not shown again. ${former}`,
      )
    })
}

function addKit(client: Command, context: CliContext): void {
  common(
    client
      .command('kit')
      .description('Write files to try a client with: curl, Postman, Bruno, .http')
      .argument('<client_id>')
      .argument('[folder]', 'where to', 'kit'),
  )
    .addHelpText(
      'after',
      `
The secret is not known any more: put it where the files have PUT-THE-CLIENT-SECRET-HERE, which are
.env, postman_environment.json and http-client.private.env.json.

Example:
  scopegate client kit lab-reader ./lab-reader-kit
  cd lab-reader-kit && ./curl.sh`,
    )
    .action(async (id: string, name: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.read')
      const folder = await writeKit(context, admin, { clientId: id, folder: name })
      const start = trustingCurl('./curl.sh', admin.caFile)
      const text = `The kit is in ${folder}; start with ${start}`
      print(context, options.json === true, { folder }, text)
    })
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}

function asText(added: ClientAnswer, caFile: string | undefined): string {
  return [
    `client_id      ${added.client_id}`,
    ...(added.client_secret
      ? [`client_secret  ${added.client_secret}`, '', 'The secret is not shown again.']
      : []),
    ...(added.curl ? ['', 'Try it:', '', trustingCurl(added.curl, caFile)] : []),
  ].join('\n')
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(inWords).join(' ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
