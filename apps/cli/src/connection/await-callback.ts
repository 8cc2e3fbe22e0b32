import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CliError } from '../cli-error.ts'

/** A port of this machine that a browser comes back to after signing in. */
export interface Callback {
  readonly redirectUri: string
  /**
   * What the browser brought for the sign-in `state`. Others' are not listened to.
   *
   * @throws {CliError} when `signal` aborts first.
   */
  answer(state: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  close(): void
}

const PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri']

/** @param port 0: any that is free. @see RFC 8252 §7.3 */
export async function awaitCallback(port: number): Promise<Callback> {
  const arrived: Readonly<Record<string, string>>[] = []
  let tell = () => {}
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '', redirectUri)
    // A page on the web that has its name resolve to this machine is not answered.
    if (request.headers.host !== new URL(redirectUri).host || url?.pathname !== '/callback') {
      response.writeHead(404, { connection: 'close' }).end()
      return
    }
    arrived.push(
      Object.fromEntries(
        PARAMETERS.flatMap((name) => {
          const value = url.searchParams.get(name)
          return value ? [[name, value] as const] : []
        }),
      ),
    )
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'",
      'referrer-policy': 'no-referrer',
      connection: 'close',
    })
    response.end(
      '<!doctype html><html lang="en"><title>Scopegate</title><p>Back in the terminal it says whether this worked. This window can be closed.</p></html>',
    )
    tell()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CliError(`port ${port} of this machine cannot be used`, {
          why: error.code ?? error.message,
          fix: 'choose another one with --port, or leave it out',
        }),
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
  return {
    redirectUri,
    async answer(state, signal) {
      for (;;) {
        const mine = arrived.find((each) => each.state === state)
        if (mine !== undefined) return mine
        if (signal.aborted) {
          throw new CliError('nobody signed in in time', { fix: 'start again' })
        }
        await new Promise<void>((resolve) => {
          tell = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
