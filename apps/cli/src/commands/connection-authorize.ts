import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type AdminClient, connectAdmin } from '../connection/admin-client.ts'
import { awaitCallback } from '../connection/await-callback.ts'
import { openBrowser } from '../connection/open-browser.ts'
import { type CliContext, print } from '../context.ts'
import { pathOf } from './connection.ts'

interface AuthorizeOptions {
  readonly device?: boolean
  readonly port?: string
  readonly open?: boolean
  readonly url?: string
  readonly json?: boolean
}

interface SignedIn {
  readonly status: 'pending' | 'done'
  readonly interval?: number
  readonly subject?: string
  readonly scope?: string
}

export function addConnectionAuthorize(connections: Command, context: CliContext): void {
  connections
    .command('authorize <name>')
    .alias('sign-in')
    .description('Let a user sign in once, so that the connection keeps its grant')
    .option('--device', 'by a code that is entered on another device')
    .option('--port <port>', 'where the browser comes back to on this machine (default: any free)')
    .option('--open', 'open the address in the browser of this machine')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Without --device the address must be opened in a browser on this machine, because the provider
sends it back to http://127.0.0.1:<port>/callback. Register that address at the provider; some
compare the port too, then choose one with --port.

Examples:
  scopegate connection authorize mailbox --open
  scopegate connection authorize mailbox --device`,
    )
    .action(async (name: string, options: AuthorizeOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/connections.write')
      const done = options.device
        ? await byDevice(admin, name, context)
        : await byBrowser(admin, name, options, context)
      const who = done.subject === undefined ? '' : ` as ${done.subject}`
      print(context, options.json === true, done, `${name}: signed in${who}, scopes ${done.scope}`)
    })
}

/** RFC 8252 §7.3: the browser comes back to a port of this machine. */
async function byBrowser(
  admin: AdminClient,
  name: string,
  { port, open }: AuthorizeOptions,
  context: CliContext,
): Promise<SignedIn> {
  const callback = await awaitCallback(readPort(port))
  try {
    const begun = await admin.call<{
      sign_in: string
      authorization_url: string
      expires_in: number
    }>('POST', `${pathOf(name)}/authorize`, { redirect_uri: callback.redirectUri })
    context.stderr.write(`open this address, and sign in:\n\n  ${begun.authorization_url}\n\n`)
    if (open) openBrowser(begun.authorization_url)
    const late = AbortSignal.timeout(Math.min(begun.expires_in, 900) * 1000)
    const parameters = await callback.answer(begun.sign_in, late)
    return await admin.call<SignedIn>('POST', endPath(name, begun.sign_in), parameters)
  } finally {
    callback.close()
  }
}

/** @see RFC 8628 §3.4: the server asks the provider; this asks the server. */
async function byDevice(admin: AdminClient, name: string, context: CliContext): Promise<SignedIn> {
  const begun = await admin.call<{
    sign_in: string
    user_code: string
    verification_uri: string
    verification_uri_complete?: string
    interval: number
    expires_in: number
  }>('POST', `${pathOf(name)}/authorize`, { device: true })
  const whole = begun.verification_uri_complete
  context.stderr.write(
    `open ${begun.verification_uri} on any device, and enter\n\n  ${begun.user_code}\n\n${
      whole === undefined ? '' : `or open ${whole}\n`
    }`,
  )
  const until = Date.now() + begun.expires_in * 1000
  let seconds = begun.interval
  while (Date.now() < until) {
    await wait(seconds * 1000)
    const ended = await admin.call<SignedIn>('POST', endPath(name, begun.sign_in), {})
    if (ended.status === 'done') return ended
    seconds = ended.interval ?? seconds
  }
  throw new CliError('nobody entered the code in time', {
    fix: `start again: scopegate connection authorize ${name} --device`,
  })
}

const endPath = (name: string, signIn: string) =>
  `${pathOf(name)}/authorize/${encodeURIComponent(signIn)}`

function readPort(port: string | undefined): number {
  if (port === undefined) return 0
  if (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536) return Number(port)
  throw new CliError('--port takes a port', { why: `got \`${port}\`` })
}
