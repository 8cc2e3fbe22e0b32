import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { StorageError } from '../storage-error.ts'
import { DATABASE, type DataLayout, SUPERUSER } from './data-layout.ts'
import { endLeftover } from './end-server.ts'
import { makeFolder } from './make-folder.ts'
import { findServerBinaries, type ServerBinaries } from './server-binaries.ts'
import { asIdentity, findIdentity, type ServerIdentity } from './server-identity.ts'

/** A cluster on disk together with the means to run it. Only the holder of its lock may use it. */
export interface Cluster {
  readonly layout: DataLayout
  readonly binaries: ServerBinaries
  readonly identity: ServerIdentity
  readonly env: NodeJS.ProcessEnv
}

const UNFINISHED = 'cluster.new-'
const IS_WINDOWS = process.platform === 'win32'

/**
 * Makes the cluster if there is none, and ends whatever server an earlier run left behind on it.
 * An interrupted first start leaves nothing that a later one would take for a cluster.
 *
 * @throws {StorageError} `no-embedded-server`, `cannot-run-here`, `other-major-version`,
 *   `start-failed`
 */
export async function prepareCluster(layout: DataLayout, durable: boolean): Promise<Cluster> {
  const binaries = findServerBinaries(layout.libraries)
  checkMajorVersion(layout, binaries)
  const env = serverEnvironment(binaries)
  const identity = findIdentity({ ...layout, postgres: binaries.postgres }, env)
  const cluster: Cluster = { layout, binaries, identity, env }
  if (identity.kind === 'user') handOver(layout, identity)
  removeUnfinished(layout)
  if (existsSync(layout.cluster)) await endLeftover(layout)
  else await initializeCluster(cluster, durable)
  return cluster
}

function serverEnvironment({ libraryPath }: ServerBinaries): NodeJS.ProcessEnv {
  // Nothing of the server's environment, which may hold secrets, and none of the PG… variables.
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
  if (IS_WINDOWS) {
    for (const name of ['SystemRoot', 'TEMP', 'TMP', 'USERPROFILE']) env[name] = process.env[name]
  }
  if (libraryPath) {
    env[process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'] = libraryPath
  }
  return env
}

function checkMajorVersion(layout: DataLayout, binaries: ServerBinaries): void {
  const file = join(layout.cluster, 'PG_VERSION')
  if (!existsSync(layout.cluster)) return
  if (!existsSync(file)) {
    throw new StorageError(
      'start-failed',
      `${layout.cluster} is not a PostgreSQL data directory (no PG_VERSION): ` +
        'move it away, or set storage.dir to another folder',
    )
  }
  const found = Number.parseInt(readFileSync(file, 'utf8'), 10)
  if (found === binaries.major) return
  throw new StorageError(
    'other-major-version',
    `the data in ${layout.cluster} is of PostgreSQL ${found}, this program brings ` +
      `${binaries.major}: nothing was changed. With the Scopegate that wrote it run ` +
      '`scopegate backup FILE`, then start this one with a new storage.dir and `scopegate restore FILE`',
  )
}

function handOver(layout: DataLayout, identity: { uid: number; gid: number }): void {
  if (statSync(layout.root).uid === identity.uid) return
  // The parent stays root's and unreadable; it may only be passed through.
  const parent = join(layout.root, '..')
  chmodSync(parent, statSync(parent).mode | 0o111)
  chownSync(layout.root, identity.uid, identity.gid)
  if (existsSync(layout.lock)) chownSync(layout.lock, identity.uid, identity.gid)
}

function removeUnfinished(layout: DataLayout): void {
  for (const name of readdirSync(layout.root)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(layout.root, name), { recursive: true })
  }
}

/** Makes the cluster beside its place and moves it there when it is whole and on disk. */
async function initializeCluster(cluster: Cluster, durable: boolean): Promise<void> {
  const { layout, binaries } = cluster
  const unfinished = join(layout.root, `${UNFINISHED}${randomBytes(4).toString('hex')}`)
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${SUPERUSER}`,
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--no-instructions',
    // On a socket in a folder that only its owner can enter, the folder is the password.
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
  ]
  if (!durable) args.push('--no-sync')
  if (IS_WINDOWS) {
    writeFileSync(layout.password, randomBytes(24).toString('base64url'), { mode: 0o600 })
    args.push(`--pwfile=${layout.password}`)
  }
  await run(cluster, binaries.initdb, args, 'could not make the database')
  await makeDatabase(cluster, unfinished, durable)
  renameSync(unfinished, layout.cluster)
  if (durable && !IS_WINDOWS) syncFolder(layout.root)
}

/** What the server writes later is worth nothing if the name of its folder is lost. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** In single-user mode: there is no moment at which a cluster without the database could be seen. */
function makeDatabase(cluster: Cluster, path: string, durable: boolean): Promise<void> {
  const args = ['--single', '-D', path, ...(durable ? [] : ['-F']), 'template1']
  return run(
    cluster,
    cluster.binaries.postgres,
    args,
    'could not make the database',
    `CREATE DATABASE ${DATABASE}\n`,
  )
}

function run(
  cluster: Cluster,
  program: string,
  args: readonly string[],
  failure: string,
  input = '',
): Promise<void> {
  const { command, args: all, options } = asIdentity(cluster.identity, program, args)
  const child = spawn(command, all, { ...options, env: cluster.env, cwd: cluster.layout.root })
  let output = ''
  const collect = (chunk: Buffer) => {
    output = `${output}${chunk}`.slice(-4000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const reason = /(?:error|FATAL|PANIC):.*/s.exec(output)?.[0] ?? output
      reject(
        new StorageError(
          'start-failed',
          `${failure} (${signal ?? `exit ${code}`}): ${reason.trim()}`,
        ),
      )
    })
  })
}

/**
 * Makes the folders of the data directory, closed to everybody else.
 *
 * @throws {StorageError} `cannot-run-here` when they belong to somebody else or nothing can be made there
 */
export function makeDataFolders(dir: string, layout: DataLayout): void {
  try {
    makeFolder(dir)
    makeFolder(layout.root)
    accessSync(layout.root, constants.R_OK | constants.W_OK | constants.X_OK)
    for (const path of [layout.lock, layout.log]) {
      if (existsSync(path)) accessSync(path, constants.W_OK)
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new StorageError(
        'cannot-run-here',
        `the data directory ${dir} cannot be made there (${code}): set storage.dir to another folder`,
        { cause },
      )
    }
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw cause
    throw new StorageError(
      'cannot-run-here',
      `the data directory ${dir} cannot be written by this user (${code}): start as the user it ` +
        'belongs to, give it to this one (chown -R), or set storage.dir to another folder',
      { cause },
    )
  }
}
