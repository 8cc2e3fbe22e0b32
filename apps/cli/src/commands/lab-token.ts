import {
  createLabOpenIdProvider,
  LAB_TOKEN_FAULTS,
  LAB_TOKEN_PATH,
  LAB_USERS,
  type LabAccessTokenWish,
  type LabTokenFault,
} from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'
import {
  defaultIssuer,
  ISSUER_FLAVOURS,
  type IssuerFlavour,
  oneOf,
  openFlavourKeys,
} from './lab-flavour.ts'
import { labTrustYaml } from './lab-trust.ts'

interface TokenOptions {
  readonly flavour: string
  readonly at?: string
  readonly scope?: string
  readonly role: readonly string[]
  readonly audience?: string
  readonly issuer?: string
  readonly key?: string
  readonly publicKeys?: string
  readonly user?: string
  readonly patient?: string
  readonly fhirUser?: string
  readonly subject?: string
  readonly clientId?: string
  readonly claims?: string
  readonly expiresIn?: string
  readonly json?: boolean
  readonly [fault: string]: unknown
}

const FHIR = 'http://127.0.0.1:8080/fhir/r4'
const FAULTS = Object.keys(LAB_TOKEN_FAULTS) as LabTokenFault[]

/** `scopegate lab token`: any token by hand, and the configuration that would trust its issuer. */
export function addLabToken(lab: Command, context: CliContext): void {
  const command = lab
    .command('token')
    .description('Mint an access token by hand, right or wrong')
    .option('--flavour <name>', `whose shape: ${ISSUER_FLAVOURS.join(', ')}`, 'generic')
    .option('--at <url>', 'a lab that runs: its flavour, its keys, and it knows the token')
    .option('--scope <scope>', 'scopes, separated by spaces')
    .option('--role <name...>', 'app roles, or permissions', [])
    .option('--audience <audience>', 'who it is for')
    .option('--issuer <url>', 'the `iss` it names')
    .option('--key <file>', 'private keys; made when missing')
    .option('--public-keys <file>', 'where the public key set is written, for `keysFile`')
    .option('--user <name>', `on behalf of ${LAB_USERS.map(({ id }) => id).join(', ')}`)
    .option('--patient <id>', 'the patient in context')
    .option('--fhir-user <reference>', 'such as Practitioner/1')
    .option('--subject <sub>', 'the `sub`')
    .option('--client-id <id>', 'the client')
    .option('--claims <json>', 'claims, set over all others')
    .option('--expires-in <seconds>', 'lifetime')
  for (const fault of FAULTS) command.option(`--${fault}`, `wrong: ${LAB_TOKEN_FAULTS[fault]}`)
  command
    .option('--json', 'print JSON, with what makes the server trust it under `config`')
    .addHelpText(
      'after',
      `
The token is printed; on standard error, what scopegate.yaml has to say to trust its issuer.

Examples:
  scopegate lab token --scope "patient/Observation.rs" --patient p1
  scopegate lab token --flavour entra-v2 --role FHIR.Observation.Read
  scopegate lab token --flavour okta --user nora --scope user/Observation.rs --expired
  scopegate explain --token "$(scopegate lab token --flavour entra-v2 --alg-none)" GET /fhir/r4/Observation`,
    )
    .action(async (options: TokenOptions) => {
      const source = options.at === undefined ? here(context.cwd, options) : await there(options.at)
      const wish = wishOf(source.flavour, options)
      const token = await source.mint(wish)
      const claims = claimsOf(token)
      const config = labTrustYaml({
        ...source,
        audiences: await audiencesOf(source, wish),
        names: [...(wish.scopes ?? []), ...(wish.roles ?? [])],
      })
      const expiresIn = Number(claims?.exp) - Math.floor(Date.now() / 1000)
      print(
        context,
        options.json === true,
        {
          access_token: token,
          token_type: 'Bearer',
          ...(claims === undefined ? {} : { expires_in: expiresIn, claims }),
          config,
        },
        token,
      )
      if (options.json !== true) context.stderr.write(`\n${config}\n`)
    })
}

/** A lab, running or not. */
interface Source {
  readonly flavour: IssuerFlavour
  readonly issuer: string
  readonly keysFile?: string
  mint(wish: LabAccessTokenWish): Promise<string>
}

/** What the token would be for if nothing were wrong with it. */
async function audiencesOf(source: Source, wish: LabAccessTokenWish): Promise<readonly string[]> {
  const claims = claimsOf(await source.mint({ ...wish, wrong: [], claims: {} }))
  return [claims?.aud ?? wish.clientId ?? ''].flat().map(String)
}

function wishOf(flavour: IssuerFlavour, options: TokenOptions): LabAccessTokenWish {
  const { patient, fhirUser, subject, user, clientId } = options
  const isGeneric = flavour === 'generic'
  const isApiNamed = flavour.startsWith('entra') || flavour === 'auth0'
  const asked = options.audience ?? (flavour === 'auth0' || isGeneric ? FHIR : undefined)
  const sub = subject ?? (isGeneric && user === undefined ? 'lab-user' : undefined)
  const claims = {
    ...(sub === undefined ? {} : { sub }),
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
    ...parseClaims(options.claims),
  }
  return {
    clientId: clientId ?? (isGeneric ? 'lab' : 'lab-app'),
    scopes: (options.scope ?? '').split(' ').filter((each) => each !== ''),
    roles: options.role,
    claims,
    wrong: FAULTS.filter((fault) => options[camelCase(fault)] === true),
    ...(user === undefined ? {} : { userId: user }),
    ...(asked === undefined ? {} : isApiNamed ? { api: asked } : { audience: asked }),
    ...(options.expiresIn === undefined ? {} : { expiresInSeconds: secondsOf(options.expiresIn) }),
  }
}

function here(cwd: string, options: TokenOptions): Source {
  const flavours = Object.fromEntries(ISSUER_FLAVOURS.map((name) => [name, name]))
  const flavour = oneOf(flavours, '--flavour', options.flavour) as IssuerFlavour
  if (flavour === 'google') {
    throw new CliError('tokens of Google are opaque: only the issuer can say what they are', {
      fix: 'run `scopegate lab google` and give --at with its address',
    })
  }
  const { keys, keysFile } = openFlavourKeys(cwd, flavour, options)
  const issuer = options.issuer ?? defaultIssuer(flavour)
  const provider = createLabOpenIdProvider({ flavour, issuer, keys })
  return {
    ...{ flavour, issuer, keysFile },
    async mint(wish) {
      try {
        return provider.mintAccessToken(wish)
      } catch (error) {
        throw new CliError('no such token', { why: (error as Error).message })
      }
    },
  }
}

async function there(at: string): Promise<Source> {
  const url = URL.parse(LAB_TOKEN_PATH, at)
  if (url === null) throw new CliError('--at takes the URL of a lab', { why: `got \`${at}\`` })
  const ask = async (init: RequestInit) => {
    const response = await fetch(url, init).catch((error: Error) => {
      throw new CliError(`no lab answers at ${at}`, {
        why: error.message,
        fix: 'start one, such as `scopegate lab entra-v2`',
      })
    })
    const answer = (await response.json().catch(() => ({}))) as Record<string, string>
    if (response.ok && (answer.issuer ?? answer.access_token) !== undefined) return answer
    throw new CliError('the lab minted no token', {
      why: answer.error ?? `${url.href} answered with status ${response.status}`,
    })
  }
  const { flavour, issuer = '' } = await ask({})
  return {
    flavour: (flavour === 'entra' ? 'entra-v2' : flavour) as IssuerFlavour,
    issuer,
    async mint(wish) {
      const headers = { 'content-type': 'application/json' }
      const answer = await ask({ method: 'POST', headers, body: JSON.stringify(wish) })
      return answer.access_token ?? ''
    },
  }
}

function parseClaims(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
  } catch {
    // Said below.
  }
  throw new CliError('--claims takes a JSON object', { why: `got \`${text}\`` })
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (Number.isInteger(seconds)) return seconds
  throw new CliError('--expires-in takes whole seconds', { why: `got \`${text}\`` })
}

/** The claims of a JWT, unverified. */
function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, body] = token.split('.')
  if (body === undefined || token.split('.').length !== 3) return undefined
  return JSON.parse(Buffer.from(body, 'base64url').toString())
}

/** As commander names the value of a flag. */
function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
