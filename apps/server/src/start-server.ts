import { createNodeServer, ensureLocalCertificate } from '@scopegate/http'
import { sampleResources } from '@scopegate/lab'
import { ADMIN_SCOPES } from '@scopegate/oauth-model'
import type { Config } from './config.ts'
import { createAdminServer } from './create-admin-server.ts'
import { createSidecarServer } from './create-sidecar-server.ts'
import { declareClients } from './declare-clients.ts'
import { declareKeys } from './declare-keys.ts'
import { examineAtStart, examineInBackground } from './doctor/examine-at-start.ts'
import { openConfiguredStorage } from './open-configured-storage.ts'
import type { Logger } from './operations/logger.ts'
import { renewLocalCertificate } from './operations/renew-local-certificate.ts'
import type { ReloadOutcome } from './reload/create-reloader.ts'
import { followConfiguration, type Serving } from './reload/follow-configuration.ts'
import {
  makeSampleClients,
  readSampleClients,
  type SampleClient,
  writeSampleClients,
} from './sample-clients.ts'
import { serve } from './serve.ts'
import { clientCertificatesOf } from './wire/client-certificates.ts'
import { openKernel } from './wire/kernel.ts'
import { type Parts, wire } from './wire.ts'

export interface StartOptions {
  /** Fills an empty store with sample data and makes the sample clients. */
  readonly sample: boolean
  readonly log: Logger
  /** Reads the configuration again; the server then follows its changes. */
  readonly read?: () => Config
  /** Who gets the credential for the admin API: one secret each. */
  readonly holder: string
}

export interface RunningServer {
  readonly url: string
  readonly fhirUrl: string
  readonly adminUrl: string
  readonly tokenUrl: string
  /** Where the data is, for people. */
  readonly storage: string
  readonly resourceCounts: Readonly<Record<string, number>>
  readonly sampleClients: readonly SampleClient[]
  /** Whether sample data came in with this start. */
  readonly sampleIsNew: boolean
  readonly credential: { readonly clientId: string; readonly clientSecret: string }
  /** Of `server.tls.local`: the CA that clients must trust. */
  readonly localCa?: { readonly file: string; readonly isNew: boolean }
  /** Reads the configuration again. `unchanged` too where the start was told no way to. */
  reload(by: string): Promise<ReloadOutcome>
  /** Takes nothing new, lets what runs end within `server.drainSeconds`, then stops the database. */
  close(): Promise<void>
}

/** The longest an import may take to arrive. */
const UPLOAD_MS = 60 * 60 * 1000

/** Starts everything. @throws when it cannot, with a text for the operator; nothing stays behind. */
export async function startServer(config: Config, options: StartOptions): Promise<RunningServer> {
  const { log } = options
  const undo: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const step of undo.splice(0).reverse()) {
      await step().catch((error) => log.error({ error }, 'could not stop cleanly'))
    }
  }
  try {
    await examineAtStart(config, log)
    const storage = await openConfiguredStorage(config, (event) => log.info(event, 'database'))
    undo.push(() => storage.close())
    const kernel = await openKernel(config, storage, log)
    undo.push(() => kernel.close())
    const parts = await wire(config, kernel)
    let closeParts = () => parts.close()
    undo.push(() => closeParts())

    const sample = await prepareSample(config, parts, options)
    await declareClients(config, parts, sample.clients)
    await declareKeys(config, parts, log)
    parts.takeOver()
    const serving: Serving = { parts, served: serve(parts, sample.clients.length > 0, log) }
    // Those that run then: a reload puts others in their place.
    closeParts = () => serving.parts.close()
    const localCertificate =
      config.localTls && (await ensureLocalCertificate({ ...config.localTls, nowMs: Date.now() }))
    const tls = localCertificate ?? config.tls
    const server = createServer(config, tls, serving, log)
    const sidecarServer = createSidecarServer(config, tls, serving, log)
    const adminServer = createAdminServer(config, tls, serving, log, { uploadMs: UPLOAD_MS })
    const servers = [server, sidecarServer, adminServer].filter((each) => each !== undefined)
    for (const each of servers) {
      await each.listen()
      undo.push(() => each.close())
    }
    examineInBackground(config, log)
    if (config.localTls) {
      for (const each of servers) {
        const renewal = renewLocalCertificate(each.server, config.localTls, log)
        undo.push(async () => renewal.stop())
      }
    }
    const { read } = options
    const following =
      read &&
      followConfiguration({
        ...{ kernel, config, serving, read },
        ...{ servers: servers.map((each) => each.server), sample: sample.clients },
      })
    if (following) undo.push(() => following.close())
    undo.push(async () => {
      parts.health.drain()
      await Promise.all(servers.map((each) => each.close()))
    })
    const credential = await parts.authorizationServer.clients.issueInternal({
      id: 'scopegate-cli',
      name: 'The command line',
      scopes: ADMIN_SCOPES.join(' '),
      label: options.holder,
    })
    const { resourceCounts } = await parts.status()
    return {
      url: config.url,
      fhirUrl: parts.fhirUrl,
      adminUrl: parts.adminUrl,
      tokenUrl: parts.authorizationServer.tokenEndpoint,
      storage: storage.embedded ? config.dataDir : 'your PostgreSQL',
      resourceCounts,
      sampleClients: sample.clients,
      sampleIsNew: sample.isNew,
      credential: {
        clientId: credential.client_id,
        clientSecret: credential.client_secret,
      },
      ...(localCertificate && {
        localCa: { file: localCertificate.caFile, isNew: localCertificate.isNewCa },
      }),
      reload: async (by) => (await following?.reload(by)) ?? 'unchanged',
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function createServer(config: Config, tls: Config['tls'], serving: Serving, log: Logger) {
  const certificates = clientCertificatesOf(config.settings.server)
  return createNodeServer({
    handler: (request) => serving.served.handler(request),
    nodeRoutes: () => serving.served.nodeRoutes,
    host: config.listen.host,
    port: config.listen.port,
    ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
    behindTlsProxy: config.settings.server.behindTlsProxy,
    ...(certificates && { clientCertificates: certificates }),
    ...(config.localTls && { strictTransport: false }),
    requestTimeoutMs: UPLOAD_MS,
    slowUploads: [`${new URL(serving.parts.adminUrl).pathname}/import`],
    drainMs: config.settings.server.drainSeconds * 1000,
    faultForms: serving.served.faultForms,
    onError: (error) => log.error({ error }, 'connection failed'),
    onFault: ({ status, detail, correlationId }, method) =>
      log.info({ correlationId, method, status, detail }, 'request that cannot be routed'),
  })
}

/** Sample data goes only into an embedded store that is empty; its clients exist only with it. */
async function prepareSample(config: Config, parts: Parts, { sample, log }: StartOptions) {
  if (!sample || config.databaseUrl) return { clients: [], isNew: false }
  const known = readSampleClients(config.dataDir)
  if (known?.isFilled) return { clients: known.clients, isNew: false }
  if (!known) {
    const counts = await parts.repository.countByType()
    if (counts.size > 0) return { clients: [], isNew: false }
  }
  // Written before the data: a start that is killed in between is made good by the next one.
  const clients = known?.clients ?? makeSampleClients()
  writeSampleClients(config.dataDir, { clients, isFilled: false })
  const lines = [...sampleResources()].map((resource) => JSON.stringify(resource))
  const answers = await parts.repository.importBatch(lines)
  const refused = answers.filter(({ kind }) => kind === 'refused')
  if (refused.length > 0) log.warn({ refused: refused.length }, 'sample resources were refused')
  await parts.repository.refreshStatistics()
  writeSampleClients(config.dataDir, { clients, isFilled: true })
  return { clients, isNew: true }
}
