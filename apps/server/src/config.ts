import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { DeclaredKeySet } from '@scopegate/keys'
import type { z } from 'zod'
import { checkAdmin } from './config/admin-place.ts'
import { checkNames } from './config/check-names.ts'
import { checkClientCertificates, checkTls, checkTransport } from './config/check-transport.ts'
import { ConfigError, type ConfigProblem } from './config/config-error.ts'
import { type ConfiguredApi, configuredApis } from './config/configured-api.ts'
import { type ConfiguredClient, configuredClients } from './config/configured-client.ts'
import { type ConfiguredConnection, configuredConnections } from './config/configured-connection.ts'
import {
  type ConfiguredIssuer,
  configuredIssuers,
  nameIssuers,
} from './config/configured-issuer.ts'
import { configuredKeys } from './config/configured-key.ts'
import { configuredMasterKeys } from './config/configured-master-keys.ts'
import { type ConfiguredProvider, configuredProviders } from './config/configured-provider.ts'
import { explainIssues } from './config/explain-issues.ts'
import { readLogo } from './config/read-logo.ts'
import { type LocatedYaml, orNothing, readYaml } from './config/read-yaml.ts'
import { ReferenceReader, type SecretUse } from './config/reference-reader.ts'
import type { Secret } from './config/secret.ts'
import { DEFAULT_TLS_URL, DEFAULT_URL } from './config/settings/server.ts'
import { type Settings, settings as settingsSchema } from './config/settings.ts'
import { checkSidecar } from './config/sidecar-place.ts'
import type { Environment } from './environment.ts'

/** What the command line may override. */
export interface ConfigFlags {
  /** Default: `scopegate.yaml` in `cwd`, if there is one. */
  readonly configFile?: string
  readonly dataDir?: string
  readonly port?: number
  /** As `server.tls.local`, with names besides those in the file. */
  readonly localTls?: { readonly names: readonly string[] }
  /** What relative paths of flags are relative to. */
  readonly cwd?: string
}

/** A usable configuration: checked, with paths absolute and secrets read. */
export interface Config {
  /** As written, with the defaults; secrets are still references. */
  readonly settings: Settings
  readonly file?: string
  /** Public base URL and issuer, without a trailing slash. */
  readonly url: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls?: { readonly cert: string; readonly key: string }
  /** The certificate of a local CA is made when the server starts. */
  readonly localTls?: { readonly dir: string; readonly names: readonly string[] }
  readonly dataDir: string
  readonly databaseUrl?: Secret
  readonly masterKeyFile: string
  /** Instead of the file: newest first. */
  readonly masterKeys?: readonly Secret[]
  readonly issuers: readonly ConfiguredIssuer[]
  readonly apis: readonly ConfiguredApi[]
  readonly clients: readonly ConfiguredClient[]
  /** Providers of tokens that programs here use. */
  readonly connections: readonly ConfiguredConnection[]
  /** What pages show above the name, as a `data:` URI. */
  readonly logo?: string
  /** What the settings refer to, as a hash by path: tells whether it changed. */
  readonly digests: ReadonlyMap<string, string>
  /** The files that they refer to, absolute. */
  readonly referenced: ReadonlySet<string>
  /** Every secret that the settings refer to, with where it stands. */
  readonly secretUses: readonly SecretUse[]
  /** Where people may sign in elsewhere. */
  readonly providers: readonly ConfiguredProvider[]
  /** Keys that sign for others; their private parts as key objects, which no text shows. */
  readonly declaredKeys: readonly DeclaredKeySet[]
}

export type { ConfiguredClient } from './config/configured-client.ts'
export type { ConfiguredIssuer } from './config/configured-issuer.ts'

const DEFAULT_FILE = 'scopegate.yaml'

/**
 * Reads the whole configuration.
 *
 * @throws {ConfigError} with every problem: file, line, path, why, fix.
 */
export function readConfig(flags: ConfigFlags, environment: Environment): Config {
  const { config, problems } = examineConfig(flags, environment)
  if (!config || problems.length > 0) throw new ConfigError(byLine(problems))
  return config
}

/** The secrets of a configuration, and what kept others from being looked at. */
export interface SecretInventory {
  /** Resolved or not, in the order of the file. */
  readonly uses: readonly SecretUse[]
  /** Settings of the wrong form: what their sections refer to was not looked at. */
  readonly malformed: readonly ConfigProblem[]
}

/**
 * Every secret that the configuration refers to. What else is wrong with well-formed settings is
 * left to `readConfig`.
 *
 * @throws {ConfigError} if the file cannot be read at all.
 */
export function readSecretUses(flags: ConfigFlags, environment: Environment): SecretInventory {
  const { secretUses, malformed } = examineConfig(flags, environment)
  return {
    uses: [...secretUses].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    malformed: byLine(malformed),
  }
}

function examineConfig(flags: ConfigFlags, environment: Environment) {
  const cwd = flags.cwd ?? process.cwd()
  const { text, file, shownFile } = readFile(flags, cwd)
  const yaml = readYaml(text, shownFile)
  if (yaml.problems.length > 0) throw new ConfigError(yaml.problems)

  const reader = new ReferenceReader(yaml, shownFile, file ? dirname(file) : cwd, environment)
  const parsed = settingsSchema.safeParse(yaml.value)
  const usable = parsed.success
    ? parsed
    : settingsSchema.safeParse(withoutBroken(yaml, parsed.error))
  const config =
    usable.success &&
    assemble(nameIssuers(applyFlags(usable.data, flags, cwd)), flags, file, reader)
  const malformed = parsed.success ? [] : explainIssues(parsed.error.issues, yaml, shownFile)
  const problems = [...malformed, ...reader.problems]
  return { config, problems, malformed, secretUses: reader.secretUses }
}

/** The sections without a problem, so that what they refer to is judged in the same run. */
function withoutBroken(yaml: LocatedYaml, error: z.ZodError): unknown {
  const broken = new Set(error.issues.map(({ path }) => path[0]))
  // `fhir` refers to `issuers`: without them its names cannot be judged.
  if (broken.has('issuers')) for (const section of ['fhir', 'apis']) broken.add(section)
  // An API may take the token of a connection.
  if (broken.has('connections')) broken.add('apis')
  // Clients may be registered for scopes that an API has named.
  if (broken.has('apis')) broken.add('clients')
  return Object.fromEntries(
    Object.entries(yaml.value as object).filter(
      ([section]) => section in settingsSchema.shape && !broken.has(section),
    ),
  )
}

function readFile(flags: ConfigFlags, cwd: string) {
  const shownFile = flags.configFile ?? DEFAULT_FILE
  const file = resolve(cwd, shownFile)
  try {
    return { text: readFileSync(file, 'utf8'), file, shownFile }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && flags.configFile === undefined) return { text: '', shownFile }
    throw new ConfigError([
      {
        file: shownFile,
        path: '',
        why: code === 'ENOENT' ? 'no such file' : `cannot be read: ${message}`,
        fix: 'name an existing file with --config, or leave the flag out to use the defaults',
      },
    ])
  }
}

function applyFlags(settings: Settings, flags: ConfigFlags, cwd: string): Settings {
  const { tls: written } = settings.server
  const tls = flags.localTls
    ? { ...written, local: true, names: [...(written?.names ?? []), ...flags.localTls.names] }
    : written
  const isDefault = settings.server.url === DEFAULT_URL
  const url = new URL(tls?.local && isDefault ? DEFAULT_TLS_URL : settings.server.url)
  if (flags.port !== undefined) url.port = String(flags.port)
  const listen =
    flags.port === undefined
      ? settings.server.listen
      : settings.server.listen?.replace(/:\d+$/, `:${flags.port}`)
  return {
    ...settings,
    server: {
      ...settings.server,
      url: url.href.replace(/\/+$/, ''),
      ...orNothing('listen', listen),
      ...orNothing('tls', tls),
    },
    storage: {
      ...settings.storage,
      dir: flags.dataDir ? resolve(cwd, flags.dataDir) : settings.storage.dir,
    },
  }
}

function assemble(
  settings: Settings,
  flags: ConfigFlags,
  file: string | undefined,
  reader: ReferenceReader,
): Config {
  const url = new URL(settings.server.url)
  const listen = listenAddress(settings, url)
  checkTransport(settings, url, listen.host, reader)
  checkTls(settings, reader)
  checkClientCertificates(settings, reader)
  checkSidecar(settings, listen, reader)
  checkAdmin(settings, listen, reader)
  const apis = configuredApis(settings, reader)
  checkNames(settings, apis, reader)
  const { tls, url: serverUrl } = settings.server
  const dataDir = flags.dataDir ? settings.storage.dir : reader.path(settings.storage.dir)
  return {
    settings,
    ...orNothing('file', file),
    url: serverUrl,
    listen,
    ...(tls?.certFile &&
      tls.keyFile && {
        tls: {
          cert: reader.file(['server', 'tls', 'certFile'], tls.certFile),
          key: reader.file(['server', 'tls', 'keyFile'], tls.keyFile),
        },
      }),
    ...(tls?.local && {
      localTls: { dir: join(dataDir, 'tls'), names: [url.hostname, ...tls.names] },
    }),
    dataDir,
    masterKeyFile: settings.secrets.masterKeyFile
      ? reader.path(settings.secrets.masterKeyFile)
      : join(dataDir, 'master.key'),
    ...orNothing('masterKeys', configuredMasterKeys(settings, reader)),
    ...orNothing('databaseUrl', databaseUrl(settings, reader)),
    issuers: configuredIssuers(settings, reader),
    apis,
    clients: configuredClients(settings, reader),
    connections: configuredConnections(settings, reader),
    ...orNothing('logo', readLogo(['pages', 'logoFile'], settings.pages.logoFile, reader)),
    providers: configuredProviders(settings, reader),
    declaredKeys: configuredKeys(settings, reader),
    digests: reader.digests,
    referenced: reader.files,
    secretUses: reader.secretUses,
  }
}

function listenAddress(settings: Settings, url: URL): { host: string; port: number } {
  const [, host, port] = /^(.*):(\d+)$/.exec(settings.server.listen ?? '') ?? []
  if (host && port) return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) }
  // A listener has one address: `localhost` may be either, and clients try both.
  const isLocal = url.hostname === 'localhost' && settings.server.tls?.local === true
  return {
    host: isLocal ? '127.0.0.1' : url.hostname.replaceAll(/[[\]]/g, ''),
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
  }
}

function databaseUrl(settings: Settings, reader: ReferenceReader): Secret | undefined {
  const secret = reader.secret(['storage', 'url'], settings.storage.url)
  const protocol = secret && URL.parse(secret.reveal())?.protocol
  if (secret && secret.reveal() !== '' && protocol !== 'postgres:' && protocol !== 'postgresql:') {
    reader.complain(['storage', 'url'], `${secret.reference} does not hold a PostgreSQL URL`, {
      fix: 'its value must look like postgres://user:password@host:5432/database',
    })
  }
  return secret
}

function byLine(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}
