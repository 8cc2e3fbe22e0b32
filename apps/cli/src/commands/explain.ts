import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { type AnyCheck, renderText } from '@scopegate/checks'
import type { Needs } from '@scopegate/server'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, print } from '../context.ts'

interface ExplainOptions {
  readonly token?: string
  readonly tokenFile?: string
  readonly claims?: string
  readonly id?: string
  readonly body?: string
  readonly url?: string
  readonly json?: boolean
  readonly needs?: boolean
  readonly offline?: boolean
  readonly config?: string
  readonly keys?: string
}

interface Explanation {
  readonly allowed: boolean
  readonly status: number
  readonly checks: readonly AnyCheck[]
  readonly notes?: readonly string[]
  readonly causes?: readonly { readonly cause: string; readonly fix: string }[]
  readonly settings?: readonly string[]
}

interface Trace {
  readonly correlationId: string
  readonly atMs: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: string
  readonly clientId?: string
  readonly checks: readonly AnyCheck[]
}

export function addExplain(program: Command, context: CliContext): void {
  program
    .command('explain')
    .description('Say why a request is permitted or refused, check by check')
    .argument('[method]', 'GET, POST …')
    .argument('[path]', 'such as /fhir/r4/Observation/123')
    .option('--token <token>', 'the access token; `-` reads it from standard input')
    .option('--token-file <file>', 'a file that holds the access token')
    .option('--claims <json>', 'claims, as if a good token held them')
    .option('--id <id>', 'a request that was made: its correlation id')
    .option('--body <file>', 'the body of a write')
    .option('--needs', 'tell what the request would need: scopes, audience, issuer')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--offline', 'ask no server: a configuration file is enough')
    .option('--config <file>', 'with --offline: the configuration (default: scopegate.yaml)')
    .option('--keys <file>', 'with --offline: a JWK Set to check signatures with')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Nothing is read or changed for the caller; the checks are those of the running server, which audits
that you asked. With --offline they are those of a configuration file: no server, no database.

Examples:
  scopegate explain --token "$TOKEN" GET /fhir/r4/Observation/123
  scopegate explain --token - GET "/fhir/r4/Observation?code=2093-3" < token.txt
  scopegate explain --claims '{"scope":"patient/Observation.rs","patient":"p1"}' GET /fhir/r4/Observation
  scopegate explain --needs GET "/fhir/r4/Observation?category=laboratory"
  scopegate explain --offline --config scopegate.yaml --token-file token.txt GET /fhir/r4/Patient
  scopegate explain --id 01J9ZK…

Exit code: 0 permitted, 2 refused, 1 could not be explained.`,
    )
    .action(async (first: string | undefined, second: string | undefined, options) => {
      if (options.needs) return explainNeeds(context, first, second, options)
      const explained = options.id
        ? await findTrace(context, options)
        : await explainRequest(context, first, second, options)
      const { json = false } = options as ExplainOptions
      print(context, json, explained, toText(explained))
      if (!explained.allowed) process.exitCode = 2
    })
}

async function explainRequest(
  context: CliContext,
  first: string | undefined,
  second: string | undefined,
  options: ExplainOptions,
): Promise<Explanation> {
  const asked = requestOf(first, second)
  const token = await readToken(context, options)
  if ((token === undefined) === (options.claims === undefined)) {
    throw new CliError('a token or claims are needed, not both', {
      fix: 'give --token, --token-file or --claims',
    })
  }
  const request = {
    ...asked,
    ...(token !== undefined && { token: token.replace(/^bearer +/i, '') }),
    ...(options.claims !== undefined && { claims: parseClaims(options.claims) }),
    ...(options.body !== undefined && {
      body: readNamed(context, options.body, '--body'),
    }),
  }
  if (options.offline) return (await openOffline(context, options)).explain(request)
  const admin = await connectAdmin(context, options.url, 'admin/explain.read')
  return admin.call<Explanation>('POST', '/explain', request)
}

/** @throws {CliError} when there is no address */
function requestOf(first: string | undefined, second: string | undefined) {
  const [method, target] = second === undefined ? ['GET', first] : [first ?? 'GET', second]
  if (target === undefined) {
    throw new CliError('what is to be explained?', {
      fix: 'name a request, such as: scopegate explain --token "$TOKEN" GET /fhir/r4/Patient',
    })
  }
  return { method: method.toUpperCase(), path: pathOf(target) }
}

async function explainNeeds(
  context: CliContext,
  first: string | undefined,
  second: string | undefined,
  options: ExplainOptions,
): Promise<void> {
  const request = requestOf(first, second)
  const needs = options.offline
    ? await (await openOffline(context, options)).needs(request)
    : await connectAdmin(context, options.url, 'admin/explain.read').then((admin) =>
        admin.call<Needs>('POST', '/explain/needs', request),
      )
  print(context, options.json === true, needs, needsText(needs))
}

async function openOffline(context: CliContext, options: ExplainOptions) {
  const { createOfflineExplainer, readConfig } = await import('@scopegate/server')
  const config = readConfig(
    { cwd: context.cwd, ...(options.config !== undefined && { configFile: options.config }) },
    context.environment,
  )
  const text = options.keys && readNamed(context, options.keys, '--keys')
  return createOfflineExplainer(config, {
    nowMs: Date.now,
    ...(text && { keySet: parseKeys(text) }),
  })
}

function parseKeys(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError('the file of --keys is not JSON', {
      why: (error as Error).message,
      fix: 'save what the `jwks_uri` of the issuer answers: {"keys": [ … ]}',
    })
  }
}

async function readToken(context: CliContext, options: ExplainOptions) {
  if (options.tokenFile !== undefined) {
    return readNamed(context, options.tokenFile, '--token-file').trim()
  }
  if (options.token !== '-') return options.token
  return (await readAll(context.stdin as NodeJS.ReadableStream & AsyncIterable<string>)).trim()
}

function readNamed(context: CliContext, file: string, flag: string): string {
  const path = resolve(context.cwd, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new CliError(`the file of ${flag} cannot be read`, {
      where: path,
      why: isMissing ? 'no such file' : (error as Error).message,
      fix: 'check the path and its permissions',
    })
  }
}

async function findTrace(context: CliContext, options: ExplainOptions) {
  const admin = await connectAdmin(context, options.url, 'admin/traces.read')
  const query = new URLSearchParams({ correlation_id: options.id ?? '' })
  const { traces } = await admin.call<{ traces: readonly Trace[] }>('GET', `/traces?${query}`)
  const [trace] = traces
  if (!trace) {
    throw new CliError(`no trace of ${options.id}`, {
      where: admin.url,
      why: 'traces are bounded: the oldest are dropped (audit.traceLimit)',
      fix: 'explain the request again with --token or --claims',
    })
  }
  const notes = [
    `${trace.method} ${trace.path} → ${trace.status}, ${new Date(trace.atMs).toISOString()}`,
    ...(trace.clientId ? [`client ${trace.clientId}`] : []),
  ]
  return { ...trace, allowed: trace.outcome === 'permitted', notes }
}

function parseClaims(text: string): Record<string, unknown> {
  const fix = `quote them for the shell: --claims '{"scope":"system/Patient.r"}'`
  let claims: unknown
  try {
    claims = JSON.parse(text)
  } catch (error) {
    throw new CliError('the claims are not JSON', { why: (error as Error).message, fix })
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new CliError('the claims are not a JSON object', { fix })
  }
  return claims as Record<string, unknown>
}

function pathOf(target: string): string {
  const url = URL.parse(target)
  if (url) return `${url.pathname}${url.search}`
  return target.startsWith('/') ? target : `/${target}`
}

function toText({
  allowed,
  status,
  checks,
  notes = [],
  causes = [],
  settings = [],
}: Explanation): string {
  return [
    ...notes,
    ...(notes.length > 0 ? [''] : []),
    renderText(checks),
    '',
    ...causes.flatMap(({ cause, fix }) => [`likely: ${cause}`, `   fix: ${fix}`]),
    ...(settings.length > 0 ? [`decided by: ${settings.join(', ')}`] : []),
    ...(causes.length + settings.length > 0 ? [''] : []),
    allowed ? 'permitted' : `refused: the caller gets ${status}`,
  ].join('\n')
}

function needsText(needs: Needs): string {
  if (needs.public) return needs.notes.join('\n')
  const width = Math.max(0, ...needs.scopes.map(({ scopes }) => scopes.join(' ').length))
  return [
    ...(needs.scopes.length === 0
      ? ['scopes    none would do']
      : needs.scopes.map(
          ({ scopes, what }, index) =>
            `${index === 0 ? 'scopes  ' : '      or'}  ${(scopes.join(' ') || '(none)').padEnd(width)}  ${what}`,
        )),
    `audience  ${needs.audiences.join(' or ')}   (${needs.settings.audiences})`,
    `issuer    ${needs.issuers.join(' or ')}   (${needs.settings.trust})`,
    ...needs.notes.map((note) => `note      ${note}`),
  ].join('\n')
}
