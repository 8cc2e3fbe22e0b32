import {
  chmodSync,
  constants,
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  backup,
  type Config,
  type ConfigFlags,
  move,
  openConfiguredStorage,
  readConfig,
  restore,
  type Storage,
  StorageError,
  verifyArchive,
} from '@scopegate/server'
import { CliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import { type CliContext, formatTable, print } from '../context.ts'
import type { DataOptions, MoveOptions } from './data.ts'

interface Report {
  readonly rows: number
  readonly tables: readonly { readonly table: string; readonly rows: number }[]
}

const KEY_NOTE =
  'The master key file is not in it: without that file the server cannot open its signing keys. Keep a copy apart.'

/** @throws {CliError} */
export async function runBackup(name: string, options: DataOptions, context: CliContext) {
  const file = resolve(context.cwd, name)
  if (existsSync(file)) {
    throw new CliError('a backup never overwrites a file', { where: file, fix: 'name another' })
  }
  const report = await withStorage(
    sourceOf(context, options),
    (storage) => backup(storage, file),
    (error) => download(context, options.url ?? holderOf(error), file),
  )
  say(context, options, report, `written to ${file} and read back\n${KEY_NOTE}`)
}

/** @throws {CliError} */
export async function runRestore(name: string, options: DataOptions, context: CliContext) {
  const file = resolve(context.cwd, name)
  const config = configOf(context, options)
  const report = await withStorage(config, (storage) => restore(file, storage), inUse)
  const note = 'Users sign in again and launch their apps again: nothing that ended since works.'
  say(
    context,
    options,
    report,
    `restored and verified by counts and checksums\n${note}\n${KEY_NOTE}`,
  )
}

/** @throws {CliError} */
export async function runMove(options: MoveOptions, context: CliContext) {
  const target = targetOf(context, options)
  const source = sourceOf(context, options)
  const report = await withStorage(
    source,
    (from) => withStorage(target, (to) => move(from, to), inUse),
    (error) => moveThroughFile(context, options.url ?? holderOf(error), target),
  )
  const note = source.masterKeys
    ? 'Refer to the same master key in the configuration of the target.'
    : takeMasterKeyAlong(source.masterKeyFile, target.masterKeyFile)
  say(context, options, report, `copied and verified by counts and checksums\n${note}`)
}

/** The target opens its signing keys with the key of the source. @returns what is to be known */
function takeMasterKeyAlong(from: string, to: string): string {
  if (from === to) return ''
  if (!existsSync(from)) return `Bring the master key file of the source to ${to}.`
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
    copyFileSync(from, to, constants.COPYFILE_EXCL)
    chmodSync(to, 0o600)
    return `The master key was copied to ${to}.`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const isSame = readFileSync(from, 'utf8') === readFileSync(to, 'utf8')
    return isSame ? '' : `${to} holds another master key: add the lines of ${from} to it.`
  }
}

function configOf(context: CliContext, { config, data }: DataOptions): Config {
  const flags: ConfigFlags = {
    cwd: context.cwd,
    ...(config !== undefined && { configFile: config }),
    ...(data !== undefined && { dataDir: data }),
  }
  return readConfig(flags, context.environment)
}

/** Opening an embedded database makes one where none is: of that there would be nothing to copy. */
function sourceOf(context: CliContext, options: DataOptions): Config {
  const config = configOf(context, options)
  if (config.databaseUrl === undefined && !existsSync(join(config.dataDir, 'postgres'))) {
    throw new CliError('there is no database to copy', {
      where: config.dataDir,
      fix: 'name the data directory with --data, or a configuration with --config',
    })
  }
  return config
}

function targetOf(context: CliContext, { toConfig, toData }: MoveOptions): Config {
  if ((toConfig === undefined) === (toData === undefined)) {
    throw new CliError('where to?', { fix: 'give either --to-config or --to-data' })
  }
  return configOf(context, {
    ...(toConfig !== undefined && { config: toConfig }),
    ...(toData !== undefined && { data: toData }),
  })
}

/** Opens the database for `work`; `whenRunning` when a server holds it already. */
async function withStorage<Answer>(
  config: Config,
  work: (storage: Storage) => Promise<Answer>,
  whenRunning: (error: StorageError) => Promise<Answer>,
): Promise<Answer> {
  let storage: Storage
  try {
    storage = await openConfiguredStorage(config)
  } catch (error) {
    if (error instanceof StorageError && error.problem === 'in-use') return whenRunning(error)
    throw error
  }
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}

async function inUse(error: StorageError): Promise<never> {
  throw new CliError('a server is running on that database', {
    why: error.message,
    fix: 'stop it first',
  })
}

/** The address of the server that holds the data directory, as the error names it. */
function holderOf(error: StorageError): string | undefined {
  return /https?:\/\/[^\s,;)]+/.exec(error.message)?.[0]
}

async function download(
  context: CliContext,
  url: string | undefined,
  file: string,
): Promise<Report> {
  const admin = await connectAdmin(context, url, 'admin/backup.write')
  const body = await admin.download('/backup')
  const partial = `${file}.partial`
  try {
    await pipeline(
      Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]),
      createWriteStream(partial, { mode: 0o600, flags: 'wx' }),
    )
    const report = await verifyArchive(partial)
    renameSync(partial, file)
    return report
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
}

async function moveThroughFile(context: CliContext, url: string | undefined, target: Config) {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-move-'))
  try {
    const file = join(folder, 'archive')
    await download(context, url, file)
    return await withStorage(target, (to) => restore(file, to, { isMove: true }), inUse)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function say(context: CliContext, { json }: DataOptions, report: Report, done: string): void {
  const rows = report.tables
    .filter(({ rows }) => rows > 0)
    .map(({ table, rows }) => [table, rows.toLocaleString('en')])
  print(
    context,
    json === true,
    report,
    `${formatTable(['table', 'rows'], rows)}\n\n${report.rows.toLocaleString('en')} rows ${done}`,
  )
}
