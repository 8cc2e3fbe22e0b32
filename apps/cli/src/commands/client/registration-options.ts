import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { CliError } from '../../cli-error.ts'
import type { CliContext } from '../../context.ts'

/** What `client add` and `client set` say of a registration. */
export interface RegistrationOptions {
  /** Of a new client. */
  readonly id?: string
  readonly name?: string
  readonly scopes?: string
  readonly grant?: readonly string[]
  readonly grants?: string
  readonly redirectUri?: readonly string[]
  readonly postLogoutRedirectUri?: readonly string[]
  readonly public?: boolean
  readonly jwks?: string
  readonly jwksFile?: string
  readonly jwksUrl?: string
  readonly launchUrl?: string
  readonly origin?: readonly string[]
  readonly consent?: string
  readonly dpop?: boolean
  readonly par?: boolean
  readonly backchannelLogoutUri?: string
  readonly logoUri?: string
  readonly clientUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  readonly accessTokenSeconds?: string
  readonly refreshTokenSeconds?: string
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function registrationOptions(command: Command): Command {
  return command
    .option('--grant <grant>', 'a grant type; may be repeated (default: by the rest)', collect)
    .addOption(new Option('--grants <grants>', 'grant types, separated by commas').hideHelp())
    .option('--redirect-uri <uri>', 'where users come back to; may be repeated', collect)
    .option('--post-logout-redirect-uri <uri>', 'where they go after logout', collect)
    .option('--public', 'an app that cannot keep a secret: PKCE alone')
    .option('--jwks <file>', 'public keys for private_key_jwt, instead of a secret')
    .addOption(new Option('--jwks-file <file>', 'the same as --jwks').hideHelp())
    .option('--jwks-url <url>', 'where its public keys are, instead of a secret')
    .option('--launch-url <url>', 'where an EHR launch opens the app')
    .option('--origin <origin>', 'a web origin that may call; may be repeated', collect)
    .option('--consent <mode>', 'ask (default), remember, skip')
    .option('--dpop', 'tokens only with DPoP')
    .option('--par', 'authorization requests only pushed')
    .option('--backchannel-logout-uri <url>', 'called when a user signs out')
    .option('--logo-uri <url>', 'shown where users consent')
    .option('--client-uri <url>', 'a page about the app')
    .option('--policy-uri <url>', 'what the app does with data')
    .option('--tos-uri <url>', 'its terms')
    .option('--access-token-seconds <n>', 'life of its access tokens')
    .option('--refresh-token-seconds <n>', 'life of its refresh tokens')
}

/** The members for the admin API; those that were not given are left out. @throws {CliError} */
export function registrationMembers(
  context: CliContext,
  options: RegistrationOptions,
): Record<string, unknown> {
  const grants = options.grant ?? options.grants?.split(/[\s,]+/)
  const keyFile = options.jwks ?? options.jwksFile
  const members = {
    client_id: options.id,
    name: options.name,
    scopes: options.scopes,
    grants: grants?.map(grantType),
    redirect_uris: options.redirectUri,
    post_logout_redirect_uris: options.postLogoutRedirectUri,
    public: options.public,
    jwks: keyFile === undefined ? undefined : readKeySet(context, keyFile),
    jwks_uri: options.jwksUrl,
    launch_url: options.launchUrl,
    origins: options.origin,
    consent: options.consent,
    dpop_bound_access_tokens: options.dpop,
    require_pushed_authorization_requests: options.par,
    backchannel_logout_uri: options.backchannelLogoutUri,
    logo_uri: options.logoUri,
    client_uri: options.clientUri,
    policy_uri: options.policyUri,
    tos_uri: options.tosUri,
    access_token_seconds: wholeNumber('--access-token-seconds', options.accessTokenSeconds),
    refresh_token_seconds: wholeNumber('--refresh-token-seconds', options.refreshTokenSeconds),
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** @throws {CliError} */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() !== '' && Number.isInteger(number)) return number
  throw new CliError(`${option} takes a whole number`, { why: `got \`${text}\`` })
}

/** The device grant has a long name that nobody types. */
function grantType(text: string): string {
  return text === 'device_code' ? 'urn:ietf:params:oauth:grant-type:device_code' : text
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
