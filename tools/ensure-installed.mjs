// Plain JavaScript for any Node >= 18.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Makes node_modules agree with package-lock.json, with `npm ci` when it does not. Does nothing,
 * and costs a few milliseconds, when it does. Two launchers of one checkout take turns.
 *
 * @param {string} root the workspace
 * @returns {Promise<string | undefined>} what went wrong, for the user
 */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return undefined
  const release = await takeTurn(join(root, '.npm-install.lock'))
  try {
    return isInstalled(root) ? undefined : install(root)
  } finally {
    release()
  }
}

/**
 * Compares package-lock.json with the copy that npm leaves in node_modules when it is done: an
 * interrupted install has none. Optional packages of other platforms may be missing.
 */
function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (!wanted || !present) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const installed = present[path]
    if (!installed) return entry.optional === true && !isForThisMachine(entry)
    return (
      installed.version === entry.version && (!entry.link || installed.resolved === entry.resolved)
    )
  })
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

function isForThisMachine(entry) {
  const names = (list, value) => list !== undefined && [list].flat().includes(value)
  return names(entry.os, process.platform) && names(entry.cpu, process.arch) && !entry.libc
}

function install(root) {
  process.stderr.write('Installing dependencies (npm ci) … ')
  const startedAt = Date.now()
  // Install scripts stay off: nothing here needs one. `error` silences the engine warnings of
  // packages that want a newer Node than the one npm happens to run on.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional']
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-progress']
  const npm = npmCommand()
  const result = spawnSync(npm.command, [...npm.args, ...args, ...quiet], {
    cwd: root,
    encoding: 'utf8',
    shell: npm.shell,
  })
  if (result.status === 0) {
    process.stderr.write(`done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`)
    return undefined
  }
  const said = result.error?.message ?? `${result.stdout ?? ''}${result.stderr ?? ''}`.trim()
  return [
    'failed',
    '',
    said,
    '',
    'launch: the dependencies could not be installed, so nothing was started.',
    said.includes('EUSAGE')
      ? 'package.json and package-lock.json disagree: run `npm install`, and commit both.'
      : 'Is the npm registry reachable (npm ping), and is there space on the disk? Then run it again.',
  ].join('\n')
}

/** The npm that runs this script, so that `npm start` works where npm is not on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath
  if (running && /npm-cli\.c?js$/.test(running) && existsSync(running)) {
    return { command: process.execPath, args: [running], shell: false }
  }
  const windows = process.platform === 'win32'
  return { command: windows ? 'npm.cmd' : 'npm', args: [], shell: windows }
}

const STALE_LOCK_MS = 10 * 60 * 1000

/** Waits until no other launcher installs into this checkout; returns how to let the next one in. */
async function takeTurn(lockFile) {
  for (;;) {
    try {
      const handle = openSync(lockFile, 'wx')
      writeSync(handle, String(process.pid))
      closeSync(handle)
      return () => rmSync(lockFile, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (isAbandoned(lockFile)) rmSync(lockFile, { force: true })
      else await sleep(200)
    }
  }
}

function isAbandoned(lockFile) {
  try {
    if (Date.now() - statSync(lockFile).mtimeMs > STALE_LOCK_MS) return true
    const pid = Number(readFileSync(lockFile, 'utf8'))
    if (!pid) return false
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}
