import type { Server } from 'node:http'
import { createSecureContext, Server as TlsServer } from 'node:tls'
import type { Config } from '../config.ts'
import { declareClients } from '../declare-clients.ts'
import { declareKeys } from '../declare-keys.ts'
import type { SampleClient } from '../sample-clients.ts'
import { type Served, serve } from '../serve.ts'
import type { Kernel } from '../wire/kernel.ts'
import { type Parts, wire } from '../wire.ts'
import { createReloader, type Reloader } from './create-reloader.ts'
import { watchFiles } from './watch-files.ts'

/** What answers at the moment; another one after a change of the configuration. */
export interface Serving {
  parts: Parts
  served: Served
}

export interface FollowOptions {
  readonly kernel: Kernel
  readonly config: Config
  /** Changed in place: who takes a request looks here. */
  readonly serving: Serving
  /** Those that listen; new certificates are for all that end TLS. */
  readonly servers: readonly Server[]
  readonly sample: readonly SampleClient[]
  readonly read: () => Config
}

/**
 * Lets a running server follow its configuration: new parts are made beside those that run, and
 * take all requests from one moment on. What came before is answered by the former parts, which end
 * once it has had `server.drainSeconds`.
 */
export function followConfiguration(
  options: FollowOptions,
): Pick<Reloader, 'reload'> & { close(): Promise<void> } {
  const { kernel, serving, servers, sample } = options
  const { log } = kernel
  const retired = new Map<Parts, NodeJS.Timeout>()
  let isClosing = false

  async function end(parts: Parts): Promise<void> {
    clearTimeout(retired.get(parts))
    retired.delete(parts)
    await parts.close().catch((error) => log.error({ error }, 'former parts did not end cleanly'))
  }

  function retire(parts: Parts, seconds: number): void {
    retired.set(parts, setTimeout(() => end(parts), seconds * 1000).unref())
  }

  async function prepare(config: Config, changed: readonly string[]) {
    if (isClosing) throw new Error('the server stops')
    const isTls = changed.some((path) => path.startsWith('server.tls.'))
    const secured = servers.filter((server) => server instanceof TlsServer)
    const secure = isTls && secured.length > 0 && config.tls
    // Tells whether certificate and key belong together before anything changes.
    if (secure) createSecureContext({ cert: secure.cert, key: secure.key })
    const parts = await wire(config, kernel)
    try {
      await declareClients(config, parts, sample)
      await declareKeys(config, parts, log)
    } catch (error) {
      await parts.close()
      throw error
    }
    const served = serve(parts, sample.length > 0, log)
    return {
      apply() {
        const former = serving.parts
        Object.assign(serving, { parts, served })
        parts.takeOver()
        if (secure) {
          for (const server of secured) {
            server.setSecureContext({ cert: secure.cert, key: secure.key })
          }
        }
        if (changed.some(isMasterKey)) {
          kernel.keys.follow(config).catch((error) => log.error({ error }, 'master keys'))
        }
        retire(former, config.settings.server.drainSeconds)
      },
      discard: () => parts.close(),
    }
  }

  const watch = watchFiles(() => void reloader.reload('file'), {
    onError: (error) => log.warn({ error }, 'the configuration file cannot be watched: use SIGHUP'),
  })
  const watched = ({ file, referenced }: Config) =>
    watch.on(file === undefined ? referenced : [file, ...referenced])
  const reloader = createReloader({
    kernel,
    config: options.config,
    read: options.read,
    prepare,
    onRead: watched,
  })
  watched(options.config)
  return {
    reload: reloader.reload,
    async close() {
      isClosing = true
      watch.close()
      await reloader.idle()
      await Promise.all([...retired.keys()].map(end))
    },
  }
}

function isMasterKey(path: string): boolean {
  return path.startsWith('secrets.masterKey')
}
