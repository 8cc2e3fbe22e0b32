import { readEnvironment } from '@scopegate/server/environment'
import { runCli } from './program.ts'

const code = await runCli(process.argv.slice(2), {
  environment: readEnvironment(),
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})
// The IPC channel to the launcher would keep the process alive.
process.exitCode = code
if (process.connected) process.disconnect()
