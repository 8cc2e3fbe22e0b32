import { createServer } from 'node:net'
import type { Config } from '../config.ts'
import { type Examination, fail, pass, reasonOf, type Told } from './finding.ts'
import { probe } from './probe.ts'

/** Whether the address to listen on is free, or already ours. */
export function examinePort({ listen, url }: Config): Examination {
  const { host, port } = listen
  const shown = `${host}:${port}`
  return {
    subject: 'port',
    isRemote: false,
    async examine(signal) {
      const error = await tryToListen(host, port)
      if (error === undefined) return [pass('listen', `${shown} is free`)]
      if (error.code === 'EADDRINUSE') return [await whoListens(url, shown, signal)]
      const fix =
        error.code === 'EACCES'
          ? 'ports below 1024 need a privilege: choose another with server.listen, or grant CAP_NET_BIND_SERVICE'
          : 'set server.listen to an address of this machine, such as 0.0.0.0:8080'
      return [fail('listen', `${shown}: ${reasonOf(error)}`, fix)]
    },
  }
}

function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** A server of ours says so by its metadata. */
async function whoListens(url: string, shown: string, signal: AbortSignal): Promise<Told> {
  try {
    const { text } = await probe(`${url}/.well-known/oauth-authorization-server`, signal)
    if (JSON.parse(text).issuer === url) return pass('listen', `${shown} is this server, running`)
  } catch {
    // Somebody else, or a server whose certificate this process does not trust.
  }
  return fail(
    'listen',
    `${shown} is taken by another program`,
    'stop it, or choose another port with server.listen and server.url (or --port)',
  )
}
