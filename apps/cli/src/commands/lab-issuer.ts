import {
  entraApiId,
  LAB_FAULTS,
  LAB_FLAVOURS,
  serveLabOpenIdProvider,
  TOKEN_PROBLEMS,
} from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'
import {
  DEFAULT_PORT,
  ISSUER_FLAVOURS,
  type IssuerFlavour,
  oneOf,
  openFlavourKeys,
  portOf,
} from './lab-flavour.ts'
import { labTrustYaml } from './lab-trust.ts'

interface IssuerOptions {
  readonly port: string
  readonly key?: string
  readonly audience?: string
  readonly role: readonly string[]
  readonly fault: readonly string[]
  readonly refuse: readonly string[]
  readonly json?: boolean
}

const PROBLEMS = Object.fromEntries(TOKEN_PROBLEMS.map((name) => [name, true]))
const ENTRA_API = 'api://scopegate'

/** `scopegate lab entra-v2` and so on: an issuer shaped like the real one, on this machine. */
export function addLabIssuers(lab: Command, context: CliContext): void {
  for (const flavour of ISSUER_FLAVOURS.filter((name) => name !== 'generic')) {
    addLabIssuer(lab, context, flavour)
  }
}

function addLabIssuer(lab: Command, context: CliContext, flavour: IssuerFlavour): void {
  const { label } = LAB_FLAVOURS[flavour]
  lab
    .command(flavour)
    .description(`Run an issuer in the manner of ${label}`)
    .option('--port <port>', 'where it listens on loopback; 0: any that is free', `${DEFAULT_PORT}`)
    .option('--key <file>', 'its private keys; made when missing')
    .option('--audience <audience>', 'what tokens are for, where the request does not say')
    .option('--role <name...>', 'app roles, or permissions, of every app', [])
    .option('--refuse <problem...>', 'refuse every token request with this; see below', [])
    .option('--fault <name...>', 'what else it does wrong: see `lab provider --help`', [])
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Discovery, keys, authorization, tokens, userinfo${flavour === 'google' ? ' and tokeninfo' : ''} are where ${label} has them, tokens and refusals
look like its own. It takes every client and every secret, and people choose a name.

Problems: ${TOKEN_PROBLEMS.join(', ')}

Examples:
  scopegate lab ${flavour}
  scopegate lab ${flavour} --refuse secret_expired`,
    )
    .action(async (options: IssuerOptions) => {
      const faults = options.fault.map((name) => oneOf(LAB_FAULTS, '--fault', name))
      const problems = options.refuse.map((name) => oneOf(PROBLEMS, '--refuse', name))
      const { keys } = openFlavourKeys(context.cwd, flavour, { key: options.key })
      const provider = await serveLabOpenIdProvider({
        flavour,
        port: portOf(options.port),
        keys,
        roles: options.role,
        ...(options.audience === undefined ? {} : { audience: options.audience }),
      }).catch((error: Error) => {
        throw new CliError('the issuer cannot listen', {
          why: error.message,
          fix: 'give another --port',
        })
      })
      for (const fault of faults) provider.faults.add(fault)
      for (const problem of problems) {
        provider.problems.add(problem as (typeof TOKEN_PROBLEMS)[number])
      }
      const yaml = labTrustYaml({
        flavour,
        issuer: provider.issuer,
        audiences: [audienceOf(flavour, options.audience)],
        names: [...(flavour.startsWith('entra') ? ['Observation.rs'] : []), ...options.role],
      })
      const text = `An issuer in the manner of ${label}: ${provider.issuer}

A token, as an app gets it:

${tokenLines(flavour, provider.url)}

scopegate.yaml, to trust it:

${yaml}

\`scopegate lab token --flavour ${flavour} --at ${provider.url}\` mints others, right and wrong. Ctrl-C ends it.`
      print(context, options.json === true, { issuer: provider.issuer, config: yaml }, text)
      const ended = Promise.withResolvers<void>()
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
        process.once(signal, () => ended.resolve())
      }
      await ended.promise
      await provider.close()
    })
}

function audienceOf(flavour: IssuerFlavour, asked: string | undefined): string {
  switch (flavour) {
    case 'entra-v2':
      return entraApiId({ uri: ENTRA_API })
    case 'entra-v1':
      return ENTRA_API
    case 'okta':
      return asked ?? 'api://default'
    case 'keycloak':
      return asked ?? 'account'
    case 'google':
      return 'app'
    default:
      return asked ?? 'http://127.0.0.1:8080/fhir/r4'
  }
}

function tokenLines(flavour: IssuerFlavour, origin: string): string {
  const { issuerPath, paths } = LAB_FLAVOURS[flavour]
  const { token } = paths(issuerPath.replace(/\/$/, ''))
  const asked = {
    'entra-v2': `scope=${ENTRA_API}/.default`,
    'entra-v1': `resource=${ENTRA_API}`,
    okta: 'scope=system/Observation.rs',
    keycloak: 'scope=openid',
    auth0: 'audience=http://127.0.0.1:8080/fhir/r4',
    generic: 'scope=system/Observation.rs',
    google: '',
  }[flavour]
  if (flavour === 'google') {
    // It has no client credentials: apps send a statement signed with the key of a service account.
    return `scopegate lab token --flavour google --at ${origin} --user nora --scope openid --client-id app`
  }
  return `curl -s ${origin}${token} -d grant_type=client_credentials -d client_id=app -d client_secret=any -d ${asked}`
}
