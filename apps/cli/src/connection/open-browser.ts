import { spawn } from 'node:child_process'
import { platform } from 'node:process'

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Opens an https or loopback address in the user's browser; says nothing when there is none. */
export function openBrowser(address: string): void {
  const url = URL.parse(address)
  if (url === null || (url.protocol !== 'https:' && url.hostname !== '127.0.0.1')) return
  const [command, ...args] = OPENERS[platform] ?? ['xdg-open']
  const child = spawn(command, [...args, url.href], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
