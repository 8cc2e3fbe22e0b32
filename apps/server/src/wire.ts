import { type AdminApi, createAdminApi, type ServerStatus } from '@scopegate/admin-api'
import { type ApiGateway, compileApi, explainApi, type WebLogins } from '@scopegate/api-gateway'
import type { AuthorizationServer } from '@scopegate/authorization-server'
import { createFhirEndpoint, type FhirEndpoint } from '@scopegate/fhir-endpoint'
import type { FhirRepository } from '@scopegate/fhir-repository'
import { createClientAddress, type Handler } from '@scopegate/http'
import type { SignKeys } from '@scopegate/keys'
import { explainByAddress } from '@scopegate/oauth-model'
import { asStorageError, StorageError, storageStatus } from '@scopegate/storage'
import { createTokenVerifier, rfc9068Issuer } from '@scopegate/token-verify'
import { adminPlace } from './config/admin-place.ts'
import type { Config } from './config.ts'
import { examine } from './doctor/examine.ts'
import { readEnvironment } from './environment.ts'
import { withCauses } from './explain/with-causes.ts'
import { importerOf } from './importer.ts'
import { createConnectionCallback } from './landing/connection-callback.ts'
import type { Health } from './operations/health.ts'
import { type FailureLimit, limitFailures } from './operations/limit-failures.ts'
import type { Metrics } from './operations/metrics.ts'
import { recordUserEvent } from './operations/record-user-event.ts'
import { streamBackup } from './stream-backup.ts'
import { version } from './version.ts'
import { addressesOf } from './wire/addresses.ts'
import { trustedProxies, wireApis } from './wire/apis.ts'
import { wireAuthorization } from './wire/authorization.ts'
import { wireBroker } from './wire/broker.ts'
import { connectionDirectory } from './wire/connection-directory.ts'
import { wireFhirData } from './wire/fhir-data.ts'
import type { Kernel } from './wire/kernel.ts'
import { masterKeyChange } from './wire/master-key-change.ts'
import { wirePeople } from './wire/people.ts'
import { type WiredSidecar, wireSidecar } from './wire/sidecar.ts'
import { wireSignKeys } from './wire/sign-keys.ts'
import { wireWebLogins } from './wire/web-logins.ts'

/** Everything that runs, joined; nothing listens yet. */
export interface Parts {
  readonly authorizationServer: AuthorizationServer
  readonly fhirUrl: string
  readonly fhirEndpoint: FhirEndpoint
  readonly repository: FhirRepository
  readonly apiGateway: ApiGateway | undefined
  /** Of connections with an `upstream`. */
  readonly sidecar: WiredSidecar | undefined
  /** Where users come back to who signed in for a connection. */
  readonly connectionCallback: Handler
  readonly signKeys: SignKeys
  readonly adminUrl: string
  /** The admin API is not served by the main listener. */
  readonly adminHasOwnListener: boolean
  readonly adminApi: AdminApi
  readonly health: Health
  readonly metrics: Metrics
  status(): Promise<ServerStatus>
  /** Told when these answer from now on: what was only prepared shows itself nowhere. */
  takeOver(): void
  /** Ends what runs by itself; the kernel stays open. */
  close(): Promise<void>
}

/** The only place where the parts meet: all that follows from the configuration, on one kernel. */
export async function wire(config: Config, kernel: Kernel): Promise<Parts> {
  const { settings, url } = config
  const { limits, tokens } = settings
  const { storage, keys, audits, metrics, health, log, nowMs, startedAt } = kernel
  const addresses = addressesOf(config)
  const { fhirUrl, adminUrl } = addresses
  const { accessAudit, adminAudit, traces } = audits
  const signKeys = wireSignKeys({ config, storage, keys, nowMs })
  const environment = readEnvironment()
  const outbound = wireBroker({ config, kernel, signKeys, environment })
  const clientAddress = createClientAddress(trustedProxies(settings.server.trustedProxies))
  const common = { config, addresses, storage, keys, audits, log, nowMs }
  const { repository, policy, cursorKey, directory } = wireFhirData(common)
  const people = wirePeople({
    ...{ config, storage, keys, directory, log, nowMs, traces },
    onEvent: (event) => recordUserEvent(event, { adminAudit, log, issuer: url, nowMs }),
  })
  // The authorization server tells of logouts those who sign people in at it.
  let webLogins: WebLogins | undefined
  const authorization = await wireAuthorization({
    ...{ ...common, people, usedProofs: kernel.usedProofs },
    clientAddress: clientAddress.ofIncoming,
    endAppSession: async (ended) => (await webLogins?.endSelf(ended)) ?? false,
  })
  const { authorizationServer } = authorization

  const verifier = createTokenVerifier({
    issuers: [
      {
        ...rfc9068Issuer(url, authorizationServer.keySource),
        resolveOpaque: authorizationServer.resolveOpaque,
      },
      ...kernel.issuersOf(config.issuers),
    ],
    clockToleranceSeconds: tokens.clockToleranceSeconds,
    now: () => Math.floor(nowMs() / 1000),
    isRevoked: authorizationServer.revocations.isRevoked,
    dpop: { usedProofs: kernel.usedProofs },
  })

  const failures = limitFailures(
    kernel.failureLimiter(limits.authenticationFailuresPerMinute),
    metrics,
    clientAddress,
  )
  const { r4 } = settings.fhir
  const fhirEndpoint = createFhirEndpoint({
    baseUrl: fhirUrl,
    backend: repository,
    verifier,
    audiences: r4.audiences,
    addressOf: clientAddress.of,
    isOriginAllowed: (origin) =>
      r4.origins.includes('*') ||
      r4.origins.includes(origin) ||
      authorizationServer.isRegisteredOrigin(origin),
    ...(r4.auth.includes('basic') && {
      basic: { passwords: people.passwords, issuer: url, scopes: r4.basicScopes },
    }),
    takesTokens: r4.auth.includes('oauth2'),
    issuers: r4.trust.map((trusted) => (trusted === 'self' ? url : trusted)),
    policy,
    cursorKey,
    audit: accessAudit,
    traces,
    callers: settings.explain.callers,
    smartConfiguration: () =>
      Response.json(authorizationServer.smartConfiguration(fhirUrl), {
        headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' },
      }),
    software: { name: 'Scopegate', version },
    oauth: {
      tokenUrl: authorizationServer.tokenEndpoint,
      authorizeUrl: `${url}/oauth/authorize`,
    },
    settings: {
      updateCreate: r4.updateCreate,
      defaultCount: r4.pageSize,
      maxCount: r4.maxPageSize,
      maxBodyBytes: limits.bodyBytes,
      maxBundleBytes: limits.bundleBytes,
      maxBundleEntries: limits.bundleEntries,
      maxBatchMs: limits.batchSeconds * 1000,
    },
    now: nowMs,
    onError: (error, correlationId) => log.error({ error, correlationId }, 'request failed'),
    onAuthenticationFailure: failures.count,
  })
  webLogins = await wireWebLogins({
    ...{ config, storage, keys, authorizationServer, traces, log, nowMs },
  })
  const apiGateway = wireApis({
    ...{ config, verifier, authorizationServer, people, audits, metrics, log, nowMs },
    ...(webLogins && { logins: webLogins.logins }),
    tokens: outbound.broker,
    countFailure: failures.countIncoming,
  })

  const sidecar = wireSidecar({
    ...{ config, verifier, environment, audits, metrics, log, nowMs },
    ...{ tokens: outbound.broker, connections: outbound.connections },
    countFailure: failures.countIncoming,
  })

  async function status(): Promise<ServerStatus> {
    const [counts, clients, ready] = await Promise.all([
      repository.countByType(),
      authorizationServer.clients.list(),
      health.isReady(),
    ])
    return {
      version,
      url,
      startedAt,
      ready,
      endpoints: [
        { name: 'fhir/r4', url: fhirUrl },
        { name: 'token', url: authorizationServer.tokenEndpoint },
        { name: 'admin', url: adminUrl },
        ...config.apis.map(({ name, path }) => ({ name: `api ${name}`, url: `${url}${path}` })),
        ...(sidecar?.endpoints ?? []),
      ],
      storage: {
        kind: storage.embedded ? 'embedded' : 'external',
        serverVersion: `${Math.floor(storage.serverVersion / 10_000)}.${storage.serverVersion % 10_000}`,
      },
      resourceCounts: Object.fromEntries(counts),
      clientCount: clients.filter(({ source }) => source !== 'internal').length,
      configuration: kernel.configuration,
    }
  }

  const adminApi = createAdminApi({
    url: adminUrl,
    issuer: url,
    verifier,
    clients: authorizationServer.clients,
    registrationTokens: authorizationServer.registrationTokens,
    launches: authorizationServer.launches,
    grants: authorizationServer.grants,
    addresses: {
      issuer: url,
      authorizationEndpoint: `${url}/oauth/authorize`,
      tokenEndpoint: authorizationServer.tokenEndpoint,
      deviceEndpoint: `${url}/oauth/device`,
      fhir: fhirUrl,
    },
    users: people.users,
    sessions: people.sessions,
    signingKeys: authorizationServer.signingKeys,
    signKeys,
    rolesOfClient: (clientId) => config.clients.find(({ id }) => id === clientId)?.roles ?? [],
    allowKeyExport: settings.keyStore.allowExport,
    importer: importerOf(repository),
    traces,
    explainer: withCauses(
      explainByAddress([
        fhirEndpoint,
        ...config.apis.map((api) => explainApi(compileApi(api, url), verifier)),
      ]),
      config,
    ),
    stopping: health.draining,
    masterKey: masterKeyChange(keys),
    connections: connectionDirectory({
      ...{ ...outbound, configured: config.connections, environment, nowMs },
    }),
    doctor: () =>
      examine({ config, storage, keySets: signKeys.list, isRunning: true, environment, nowMs }),
    audit: {
      recordAdmin: async (event) => adminAudit.record(event),
      verify: audits.verify,
      list: audits.list,
    },
    status,
    backup: () => streamBackup(storage, config.dataDir),
    nowMs,
    onError: (error, correlationId) => log.error({ error, correlationId }, 'admin request failed'),
    problemOf: storageProblemOf,
  })

  return {
    authorizationServer,
    fhirUrl,
    fhirEndpoint: { ...fhirEndpoint, fetch: failures.guard(fhirEndpoint.fetch) },
    repository,
    apiGateway,
    sidecar,
    connectionCallback: createConnectionCallback({
      ...{ signIns: outbound, adminAudit, log, issuer: url, nowMs },
    }),
    signKeys,
    adminUrl,
    adminHasOwnListener: adminPlace(settings).kind === 'own',
    adminApi: { ...adminApi, fetch: failures.guard(countRefused(adminApi.fetch, failures)) },
    health,
    metrics,
    status,
    takeOver() {
      const { broker, connections } = outbound
      metrics.showConnections(connections.length === 0 ? undefined : () => broker.status())
      metrics.showKeys(signKeys.list)
    },
    async close() {
      await Promise.all([apiGateway?.close(), sidecar?.close()])
      await webLogins?.close()
      people.close()
      await authorization.close()
      await outbound.close()
    },
  }
}

function countRefused(handler: Handler, failures: FailureLimit): Handler {
  return async (request) => {
    const response = await handler(request)
    if (response.status === 401) failures.count(request)
    return response
  }
}

/** A database in trouble, as the admin API tells it; `undefined` for everything else. */
function storageProblemOf(error: unknown) {
  const known = asStorageError(error)
  if (!(known instanceof StorageError)) return undefined
  return {
    status: storageStatus(known.problem),
    detail: known.message,
    headers: { 'Retry-After': '5' },
  }
}
