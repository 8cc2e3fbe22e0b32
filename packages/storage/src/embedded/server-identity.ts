import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { StorageError } from '../storage-error.ts'

/** As whom PostgreSQL runs. It refuses to run as root, and needs a user that has a name. */
export type ServerIdentity =
  | { readonly kind: 'self' }
  /** In a user namespace that shows our own uid under another number: files stay ours. */
  | { readonly kind: 'namespace'; readonly unshare: string; readonly uid: number }
  /** As another user, to whom the data belongs. */
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number; readonly name: string }

export interface IdentityQuestion {
  readonly uid: number
  readonly accounts: readonly Account[]
  /** Owner of an existing cluster. */
  readonly clusterUid: number | undefined
  /** Owner of the folder in which the data directory lies. */
  readonly folderUid: number
  readonly unshare: string | undefined
  /** Whether the server program can run, and reach the data directory, as that identity. */
  readonly works: (identity: ServerIdentity) => boolean
}

export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Chooses as whom the server runs. Not root: as ourselves. Root: as the owner of the data when that
 * is somebody else; in a user namespace; as the owner of the folder; as an account made for it.
 * `undefined` when nothing works.
 */
export function chooseIdentity(question: IdentityQuestion): ServerIdentity | undefined {
  return candidates(question).find(question.works)
}

function candidates(question: IdentityQuestion): ServerIdentity[] {
  const { uid, accounts, clusterUid, folderUid, unshare } = question
  const account = (wanted: number): ServerIdentity[] =>
    accounts
      .filter((entry) => entry.uid === wanted && wanted !== 0)
      .slice(0, 1)
      .map((entry) => ({ kind: 'user', ...entry }))
  const namespaces: ServerIdentity[] = unshare
    ? accounts
        .filter((entry) => entry.name === 'nobody' || entry.uid > 0)
        .sort((a, b) => Number(b.name === 'nobody') - Number(a.name === 'nobody'))
        .slice(0, 1)
        .map((entry) => ({ kind: 'namespace', unshare, uid: entry.uid }))
    : []

  if (uid !== 0) {
    const named = accounts.some((entry) => entry.uid === uid)
    // A container may run us under a number without a name, which initdb refuses.
    return named ? [{ kind: 'self' }] : [...namespaces, { kind: 'self' }]
  }
  if (clusterUid !== undefined && clusterUid !== 0) return account(clusterUid)
  const dedicated = ['scopegate', 'postgres', 'nobody'].flatMap((name) =>
    accounts
      .filter((entry) => entry.name === name && entry.uid !== 0)
      .map((entry): ServerIdentity => ({ kind: 'user', ...entry })),
  )
  // A root-owned cluster is readable in the namespace only; a fresh one can be given away.
  return clusterUid === 0 ? namespaces : [...namespaces, ...account(folderUid), ...dedicated]
}

/** The command line that runs `program` as `identity`, with the options `spawn` needs for it. */
export function asIdentity(
  identity: ServerIdentity,
  program: string,
  args: readonly string[],
): { command: string; args: string[]; options: { uid?: number; gid?: number } } {
  switch (identity.kind) {
    case 'self':
      return { command: program, args: [...args], options: {} }
    case 'namespace':
      return {
        command: identity.unshare,
        args: ['--user', `--map-user=${identity.uid}`, '--', program, ...args],
        options: {},
      }
    case 'user':
      return {
        command: program,
        args: [...args],
        options: { uid: identity.uid, gid: identity.gid },
      }
  }
}

/**
 * Finds as whom the server can run here.
 *
 * @throws {StorageError} `cannot-run-here`
 */
export function findIdentity(
  paths: { readonly root: string; readonly cluster: string; readonly postgres: string },
  env: NodeJS.ProcessEnv,
): ServerIdentity {
  const uid = process.getuid?.()
  if (uid === undefined) return { kind: 'self' }
  const accounts = readAccounts()
  const clusterUid = statSync(paths.cluster, { throwIfNoEntry: false })?.uid
  if (uid !== 0 && accounts.some((entry) => entry.uid === uid)) return { kind: 'self' }
  const identity = chooseIdentity({
    uid,
    accounts,
    clusterUid,
    folderUid: statSync(dirname(dirname(paths.root))).uid,
    unshare: process.platform === 'linux' ? findOnPath('unshare') : undefined,
    works: (candidate) => works(candidate, paths, env, clusterUid !== undefined),
  })
  if (identity) return identity
  throw new StorageError(
    'cannot-run-here',
    uid === 0
      ? `the embedded PostgreSQL does not run as root, and no other way was found here: user ` +
          `namespaces are not available (\`unshare --user\`), and no unprivileged user can reach ` +
          `${paths.root} and ${paths.postgres}. Start as an ordinary user, put storage.dir and the ` +
          `program where one can reach them, or set storage.url to a PostgreSQL of your own`
      : `the embedded PostgreSQL needs a user that has a name, uid ${uid} has none: add it to ` +
          `/etc/passwd, or set storage.url to a PostgreSQL of your own`,
  )
}

function works(
  identity: ServerIdentity,
  paths: { readonly root: string; readonly postgres: string },
  env: NodeJS.ProcessEnv,
  clusterExists: boolean,
): boolean {
  const run = (program: string, args: string[]): boolean => {
    const { command, args: all, options } = asIdentity(identity, program, args)
    const cwd = identity.kind === 'user' ? '/' : paths.root
    return spawnSync(command, all, { ...options, env, cwd, stdio: 'ignore' }).status === 0
  }
  if (!run(paths.postgres, ['--version'])) return false
  const may = (test: string, path: string) =>
    run('/bin/sh', ['-c', `test ${test} "$1"`, 'sh', path])
  if (identity.kind !== 'user' || clusterExists) return may('-w', paths.root)
  // A fresh folder is handed over later; what leads to it must be passable already.
  return may('-x', dirname(dirname(paths.root)))
}

function readAccounts(): readonly Account[] {
  let text = ''
  try {
    text = readFileSync('/etc/passwd', 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}

/** The program's path, if one of the folders of PATH or the usual ones has it. */
export function findOnPath(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin', '/usr/sbin']
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
