import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Environment } from '@scopegate/server/environment'
import { CliError } from '../cli-error.ts'

/** How this user's commands reach a server that this user started. */
export interface ServerCredential {
  readonly clientId: string
  readonly clientSecret: string
  readonly adminUrl: string
  readonly tokenUrl: string
  /** Epoch seconds. */
  readonly startedAt: number
  /** The certificate of the local CA that the server's is of. */
  readonly caFile?: string
}

interface CredentialFile {
  /** The server started last. */
  readonly last?: string
  readonly servers: Readonly<Record<string, ServerCredential>>
}

/** `$XDG_CONFIG_HOME/scopegate/servers.json`, or below `~/.config`. */
export function credentialFile(environment: Environment): string {
  const base = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config')
  return join(base, 'scopegate', 'servers.json')
}

/** Keeps the credential, 0600, and makes its server the one that commands use by default. */
export function saveCredential(
  environment: Environment,
  url: string,
  credential: ServerCredential,
): string {
  const file = credentialFile(environment)
  const known = readFile(file)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const next: CredentialFile = { last: url, servers: { ...known.servers, [url]: credential } }
  // A new file renamed over the old one: a reader sees the one or the other, never a half.
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
  return file
}

/** @throws {CliError} when this user never started that server, or any. */
export function readCredential(
  environment: Environment,
  wanted: string | undefined,
): { readonly url: string; readonly credential: ServerCredential } {
  const file = credentialFile(environment)
  const { last, servers } = readFile(file)
  const url = (wanted ?? environment.SCOPEGATE_URL ?? last)?.replace(/\/+$/, '')
  if (url === undefined) {
    throw new CliError('no server to talk to', {
      where: file,
      why: 'this user has not started one yet',
      fix: 'start one with `scopegate up`, or name one with --url',
    })
  }
  const credential = servers[url]
  if (credential) return { url, credential }
  const known = Object.keys(servers)
  throw new CliError(`no credential for ${url}`, {
    where: file,
    why: 'only the user who started a server gets a credential for its admin API',
    fix:
      known.length > 0
        ? `use --url with one of: ${known.join(', ')}`
        : 'run the command as the user who runs `scopegate up`',
  })
}

function readFile(file: string): CredentialFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { servers: {} }
    throw new CliError('the credential file cannot be read', {
      where: file,
      why: (error as Error).message,
      fix: 'remove the file and start the server again',
    })
  }
}
