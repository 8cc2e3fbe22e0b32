import {
  LAB_ANSWER_FAULTS,
  LAB_STATE_PATH,
  type LabConditions,
  serveLabResource,
  serveLabTokenServer,
} from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'
import { ISSUER_FLAVOURS, oneOf, portOf } from './lab-flavour.ts'

interface TokenServerOptions {
  readonly flavour: string
  readonly port: string
  readonly resourcePort: string
  readonly seconds?: string
  readonly delay: string
  readonly outage?: string
  readonly retryAfter?: string
  readonly rotate?: boolean
  readonly requireScope?: string
  readonly fault: readonly string[]
  readonly json?: boolean
}

const FLAVOURS = Object.fromEntries(ISSUER_FLAVOURS.map((name) => [name, true])) as Readonly<
  Record<(typeof ISSUER_FLAVOURS)[number], true>
>

const OUTAGES = {
  unavailable: 'answers 503',
  busy: 'answers 429',
  silent: 'takes requests and never answers',
  dropped: 'ends the connection at once',
  answer_lost: 'does what is asked, and ends the connection instead of answering',
} as const satisfies Record<NonNullable<LabConditions['outage']>, string>

/** `scopegate lab token-server`: somewhere to fetch tokens from, and something to use them at. */
export function addLabTokenServer(lab: Command, context: CliContext): void {
  lab
    .command('token-server')
    .description('Run a token endpoint that fails as told, and a resource that takes its tokens')
    .option('--flavour <name>', `whose shape: ${ISSUER_FLAVOURS.join(', ')}`, 'generic')
    .option('--port <port>', 'of the token endpoint, on loopback; 0: any that is free', '9200')
    .option('--resource-port <port>', 'of the resource; 0: any that is free', '9201')
    .option('--seconds <number>', 'how long tokens live; default: as the flavour has it')
    .option('--delay <ms>', 'before every answer of the token endpoint', '0')
    .option('--outage <kind>', 'how the token endpoint fails; see below')
    .option('--retry-after <value>', 'beside 503 and 429: seconds, or a date')
    .option('--rotate', 'refresh tokens work once; a second use ends the family')
    .option(
      '--require-scope <scope>',
      'the resource wants it, as userinfo of Keycloak wants openid',
    )
    .option('--fault <name...>', 'what is odd about its answers; see below', [])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
To try a connection: fetching, renewing, and what happens when the provider is slow, down or odd. It
takes every client and every secret.

Outages:
${rows(OUTAGES)}

Faults:
${rows(LAB_ANSWER_FAULTS)}

All of it can be changed while it runs:
  curl http://127.0.0.1:9200${LAB_STATE_PATH}
  curl http://127.0.0.1:9200${LAB_STATE_PATH} -H content-type:application/json -d '{"outage":"unavailable","retryAfter":"7"}'
  curl http://127.0.0.1:9200${LAB_STATE_PATH} -H content-type:application/json -d '{"outage":null,"revoke":true}'

Examples:
  scopegate lab token-server --seconds 60
  scopegate lab token-server --flavour keycloak --require-scope openid`,
    )
    .action(async (options: TokenServerOptions) => {
      const flavour = oneOf(FLAVOURS, '--flavour', options.flavour)
      const faults = options.fault.map((name) => oneOf(LAB_ANSWER_FAULTS, '--fault', name))
      const server = await serveLabTokenServer({
        flavour,
        port: portOf(options.port),
        refreshTokens: { rotate: options.rotate === true },
        conditions: {
          delayMs: numberOf('--delay', options.delay),
          outage: options.outage && oneOf(OUTAGES, '--outage', options.outage),
          retryAfter: options.retryAfter,
          ...(options.seconds === undefined
            ? {}
            : { accessTokenSeconds: numberOf('--seconds', options.seconds) }),
        } as Partial<LabConditions>,
      }).catch(cannotListen('--port'))
      for (const fault of faults) server.answerFaults.add(fault)
      const resource = await serveLabResource({
        tokens: server,
        port: portOf(options.resourcePort),
        ...(options.requireScope === undefined ? {} : { requiredScope: options.requireScope }),
      }).catch(async (error: Error) => {
        await server.close()
        return cannotListen('--resource-port')(error)
      })
      const yaml = `connections:
  - name: lab
    preset: ${presetOf(flavour)}
    issuer: ${server.issuer}
    grant: client_credentials
    clientId: app
    authentication: { method: client_secret_basic, secrets: [env:LAB_SECRET] }
    scopes: [${scopeOf(flavour, options.requireScope)}]
    upstream: ${resource.url}`
      const { issuer, tokenEndpoint, url } = server
      const value = {
        issuer,
        tokenEndpoint,
        state: `${url}${LAB_STATE_PATH}`,
        resource: resource.url,
      }
      print(
        context,
        options.json === true,
        { ...value, config: yaml },
        `A token endpoint: ${tokenEndpoint}
A resource that takes its tokens: ${resource.url}
What came, and what it does: ${value.state}

Set a variable LAB_SECRET to anything, and write into scopegate.yaml:

${yaml}

Then /out/lab/Patient/1 is ${resource.url}/Patient/1 with a token. Ctrl-C ends it.`,
      )
      const ended = Promise.withResolvers<void>()
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
        process.once(signal, () => ended.resolve())
      }
      await ended.promise
      await Promise.all([server.close(), resource.close()])
    })
}

function rows(table: Readonly<Record<string, string>>): string {
  return Object.entries(table)
    .map(([name, what]) => `  ${name.padEnd(22)} ${what}`)
    .join('\n')
}

/** @throws {CliError} */
function numberOf(flag: string, text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number
  throw new CliError(`${flag} takes a number`, { why: `got \`${text}\`` })
}

function cannotListen(flag: string) {
  return (error: Error): never => {
    throw new CliError('it cannot listen', { why: error.message, fix: `give another ${flag}` })
  }
}

function presetOf(flavour: (typeof ISSUER_FLAVOURS)[number]): string {
  return flavour.startsWith('entra') ? 'entra' : flavour
}

function scopeOf(flavour: (typeof ISSUER_FLAVOURS)[number], required: string | undefined): string {
  if (flavour.startsWith('entra')) return 'api://scopegate/.default'
  return required ?? 'system/Patient.rs'
}
