import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type AdminClient, connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import { curlLine } from '../shell-quote.ts'

interface ClientAnswer {
  readonly client_id: string
  readonly name: string
  readonly source: string
  readonly grants: readonly string[]
  readonly scopes: string
  readonly authentication: string
  readonly disabled: boolean
  readonly client_secret?: string
}

interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

export function addClient(program: Command, context: CliContext): void {
  const client = program
    .command('client')
    .description('Add, list, show and remove clients')
    .addHelpText(
      'after',
      `
Examples:
  scopegate client add lab-reader --scopes "system/Observation.rs?category=laboratory"
  scopegate client list
  scopegate client rotate-secret cli_…`,
    )

  common(client.command('add').argument('<name>', 'what people call it'))
    .description('Add a client; its secret is shown once')
    .requiredOption('--scopes <scopes>', 'the most it may be granted, separated by spaces')
    .option('--grants <grants>', 'grant types, separated by commas', 'client_credentials')
    .option('--jwks-file <file>', 'public keys for private_key_jwt, instead of a secret')
    .option('--jwks-url <url>', 'where its public keys are, instead of a secret')
    .addHelpText(
      'after',
      `
Examples:
  scopegate client add lab-reader --grants client_credentials --scopes "system/Observation.rs?category=laboratory"
  scopegate client add loader --scopes "system/*.cruds" --json
  scopegate client add backend --scopes "system/*.rs" --jwks-file ./backend-jwks.json`,
    )
    .action(async (name: string, options: CommonOptions & AddOptions) => {
      const admin = await connectAdmin(
        context,
        options.url,
        'admin/clients.write admin/status.read',
      )
      const added = await admin.call<ClientAnswer>('POST', '/clients', {
        name,
        scopes: options.scopes,
        grants: options.grants.split(/[\s,]+/),
        ...(options.jwksFile !== undefined && { jwks: readKeySet(context, options.jwksFile) }),
        ...(options.jwksUrl !== undefined && { jwks_uri: options.jwksUrl }),
      })
      const curl = await curlFor(admin, added)
      print(
        context,
        options.json === true,
        { ...added, ...(curl && { curl }) },
        [
          `client_id      ${added.client_id}`,
          ...(added.client_secret
            ? [`client_secret  ${added.client_secret}`, '', 'The secret is not shown again.']
            : []),
          ...(curl ? ['', 'Try it:', '', curl] : []),
        ].join('\n'),
      )
    })

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
      const shown = await admin.call<ClientAnswer>('GET', `/clients/${encodeURIComponent(id)}`)
      const rows = Object.entries(shown).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(' ') : String(value),
      ])
      print(context, options.json === true, shown, formatTable(['', ''], rows).trim())
    })

  common(
    client
      .command('rotate-secret')
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
      const seconds = Number(options.overlap)
      if (!Number.isInteger(seconds)) {
        throw new CliError('--overlap takes whole seconds', { why: `got \`${options.overlap}\`` })
      }
      const admin = await connectAdmin(context, options.url, 'admin/clients.write')
      const path = `/clients/${encodeURIComponent(id)}/secret`
      const rotated = await admin.call<{ client_secret: string }>('POST', path, {
        overlap_seconds: seconds,
      })
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

  common(client.command('remove').description('Remove a client').argument('<client_id>'))
    .addHelpText(
      'after',
      '\nTokens it holds stay valid until they expire (300 s by default).\n\nExample:\n  scopegate client remove lab-reader',
    )
    .action(async (id: string, options: CommonOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/clients.write')
      const removed = await admin.call('DELETE', `/clients/${encodeURIComponent(id)}`)
      print(context, options.json === true, removed, `removed ${id}`)
    })
}

interface AddOptions {
  readonly scopes: string
  readonly grants: string
  readonly jwksFile?: string
  readonly jwksUrl?: string
}

function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}

function readKeySet(context: CliContext, file: string): unknown {
  try {
    return JSON.parse(readFileSync(resolve(context.cwd, file), 'utf8'))
  } catch (error) {
    throw new CliError('the key set cannot be read', {
      where: file,
      why: (error as Error).message,
      fix: 'name a file that holds {"keys": [ … ]}, with public keys',
    })
  }
}

/** A line that gets a token and reads with it, for clients with a secret. */
async function curlFor(admin: AdminClient, added: ClientAnswer): Promise<string | undefined> {
  if (added.client_secret === undefined) return undefined
  const status = await admin.call<{ endpoints: readonly { name: string; url: string }[] }>(
    'GET',
    '/status',
  )
  const fhir = status.endpoints.find(({ name }) => name === 'fhir/r4')
  const type = /\b(?:system|user|patient)\/([A-Z][A-Za-z]+)/.exec(added.scopes)?.[1] ?? 'Patient'
  if (!fhir) return undefined
  return curlLine({
    tokenUrl: admin.tokenUrl,
    clientId: added.client_id,
    clientSecret: added.client_secret,
    scope: added.scopes,
    resourceUrl: `${fhir.url}/${type}?_summary=count`,
  })
}
