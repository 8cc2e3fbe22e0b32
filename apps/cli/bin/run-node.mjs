// Plain JavaScript for any Node >= 18.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']

/**
 * Runs `node ...args` in this process's place: same standard streams, signals passed on, same exit
 * code. An IPC channel stays open to the child, so that it can notice (`disconnect`) when this
 * process was killed in a way that cannot be passed on.
 */
export function runNode(node, args) {
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of FORWARDED) {
    if (process.platform === 'win32' && signal === 'SIGUSR2') continue
    process.on(signal, () => child.kill(signal))
  }
  endWithShell(child)
  child.on('error', (error) => {
    process.stderr.write(`scopegate: could not run ${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15))
  })
}

/**
 * npm runs a script in a shell and hands a signal to that shell only, which dies without passing it
 * on. Under npm, a parent that is gone therefore means: end.
 */
function endWithShell(child) {
  if (process.env.npm_lifecycle_event === undefined) return
  const shell = process.ppid
  setInterval(() => {
    if (process.ppid !== shell) child.kill('SIGTERM')
  }, 250).unref()
}
