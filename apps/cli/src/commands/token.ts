import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import type { CliContext } from '../context.ts'

interface TokenOptions {
  readonly minValid?: string
  readonly scope?: string
  readonly audience?: string
  readonly subject?: string
  readonly strict?: boolean
  readonly header?: boolean
  readonly json?: boolean
  readonly url?: string
}

interface HandedOut {
  readonly access_token: string
  readonly token_type: string
  readonly expires_at: number
  readonly expires_in: number
  readonly scope: string
  readonly warnings: readonly string[]
}

export function addToken(program: Command, context: CliContext): void {
  program
    .command('token <connection>')
    .description('Print a token of a connection to another provider, and nothing else')
    .option('--min-valid <seconds>', 'demand that much life; a shorter one is renewed first')
    .option('--strict', 'with --min-valid: no token rather than a shorter one')
    .option('--scope <scopes>', 'narrow it to these scopes, with spaces between')
    .option('--audience <audience>', 'for this audience')
    .option('--subject <subject>', 'on behalf of this subject, where the grant has one')
    .option('--header', 'print it as `Authorization: Bearer …`')
    .option('--json', 'print JSON, with expiry, scope and warnings')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .addHelpText(
      'after',
      `
The token comes from the running server: one is kept for all programs, and renewed before it ends.
Whoever reads it can use it until it expires, so it belongs into a pipe or a variable. Each one
that is handed out leaves an audit entry (with its fingerprint). Warnings that ask for something go
to standard error, --json has all.
Tokens that are bound to a key (DPoP) are not handed out: send requests through the sidecar, /out/….

Examples:
  TOKEN=$(scopegate token lab --min-valid 60)
  curl -H "$(scopegate token lab --header)" https://fhir.lab.example/r4/Patient/1
  scopegate token lab --json | jq .expires_in

Exit code: 0 printed, 1 none; why, and what helps, is on standard error.`,
    )
    .action(async (connection: string, options: TokenOptions) => {
      const admin = await connectAdmin(context, options.url, 'admin/connections.token')
      const token = await admin.call<HandedOut>(
        'GET',
        `/connections/${encodeURIComponent(connection)}/token${queryOf(options)}`,
      )
      if (token.warnings.length > 0) await warn(context, token.warnings)
      context.stdout.write(`${shown(token, options)}\n`)
    })
}

/** What asks nothing of anybody would only fill the mails of cron; `--json` has it. */
async function warn(context: CliContext, warnings: readonly string[]): Promise<void> {
  const { explainTokenWarning } = await import('@scopegate/server')
  for (const warning of warnings) {
    const known = explainTokenWarning(warning)
    if (known !== undefined && known.fix === undefined) continue
    const said = known ? `${known.meaning} (${warning})\n  fix:   ${known.fix}` : warning
    context.stderr.write(`scopegate: warning: ${said}\n`)
  }
}

function queryOf({ minValid, scope, audience, subject, strict }: TokenOptions): string {
  if (minValid !== undefined && !/^\d{1,5}$/.test(minValid)) {
    throw new CliError('--min-valid takes whole seconds', { why: `got \`${minValid}\`` })
  }
  const query = new URLSearchParams({
    ...(minValid !== undefined && { minValidSeconds: minValid }),
    ...(strict && { strict: 'true' }),
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
    ...(subject !== undefined && { subject }),
  }).toString()
  return query === '' ? '' : `?${query}`
}

function shown(token: HandedOut, { header, json }: TokenOptions): string {
  if (json) return JSON.stringify(token, null, 2)
  return header ? `Authorization: ${token.token_type} ${token.access_token}` : token.access_token
}
