import { hkdfSync, randomUUID } from 'node:crypto'
import { type AdminApi, createAdminApi, type ServerStatus } from '@scopegate/admin-api'
import {
  createAccessAudit,
  createAdminAudit,
  createTraceStore,
  startRetention,
} from '@scopegate/audit'
import {
  type AuthorizationServer,
  createAuthorizationServer,
  createRateLimiter,
} from '@scopegate/authorization-server'
import { createFhirEndpoint, type FhirEndpoint } from '@scopegate/fhir-endpoint'
import { createFhirRepository, type FhirRepository } from '@scopegate/fhir-repository'
import { type Handler, isLoopback, newCorrelationId } from '@scopegate/http'
import { createSessions, createUsers } from '@scopegate/identity'
import { createSealer, openMasterKeys } from '@scopegate/secrets'
import { DEFAULT_POLICY, DEFAULT_SHARED_TYPES } from '@scopegate/smart-scopes'
import { asStorageError, type Storage, StorageError, storageStatus } from '@scopegate/storage'
import { createTokenVerifier, type NetworkPolicy, rfc9068Issuer } from '@scopegate/token-verify'
import type { Config } from './config.ts'
import { issuerOf } from './configured-issuer.ts'
import { importerOf } from './importer.ts'
import { createHealth, type Health } from './operations/health.ts'
import { type FailureLimit, limitFailures } from './operations/limit-failures.ts'
import type { Logger } from './operations/logger.ts'
import { createMetrics, type Metrics } from './operations/metrics.ts'
import { recordRegistration } from './operations/record-registration.ts'
import { startKeyRotation } from './operations/start-key-rotation.ts'
import { streamBackup } from './stream-backup.ts'
import { tokenTrace } from './token-trace.ts'
import { verifyAudits } from './verify-audits.ts'
import { version } from './version.ts'

/** Everything that runs, joined; nothing listens yet. */
export interface Parts {
  readonly authorizationServer: AuthorizationServer
  readonly fhirUrl: string
  readonly fhirEndpoint: FhirEndpoint
  readonly repository: FhirRepository
  readonly adminUrl: string
  readonly adminApi: AdminApi
  readonly health: Health
  readonly metrics: Metrics
  status(): Promise<ServerStatus>
  /** Writes what is buffered. */
  close(): Promise<void>
}

/** The only place where the parts meet. */
export async function wire(config: Config, storage: Storage, log: Logger): Promise<Parts> {
  const { settings, url } = config
  const fhirUrl = `${url}${settings.fhir.r4.path}`
  const adminUrl = `${url}/admin/api`
  const nowMs = () => Date.now()
  const startedAt = Math.floor(nowMs() / 1000)
  const masterKeys = await openMasterKeys(config.masterKeyFile)
  // The oldest key: a new master key put above it leaves page links and the audit chain as they are.
  const derive = (use: string) =>
    new Uint8Array(hkdfSync('sha256', masterKeys.at(-1)!.key, '', `scopegate ${use}`, 32))
  const { tokens, limits, audit: auditSettings } = settings
  const sealer = createSealer(masterKeys)
  const users = createUsers({
    pool: storage.pool,
    sealer,
    nowMs,
    addressKey: derive('sign-in addresses'),
    totpIssuer: settings.pages.name,
    contextWords: [settings.pages.name, new URL(url).hostname],
  })
  const sessions = createSessions({
    pool: storage.pool,
    nowMs,
    idleSeconds: settings.sessions.idleMinutes * 60,
    absoluteSeconds: settings.sessions.absoluteHours * 3600,
  })

  const traces = createTraceStore({
    pool: storage.pool,
    maxTraces: auditSettings.traceLimit,
    onError: (error) => log.warn({ error }, 'traces could not be written'),
  })
  const authorizationServer = await createAuthorizationServer({
    storage,
    sealer,
    issuer: url,
    resources: [
      { url: fhirUrl, kind: 'fhir' },
      { url: adminUrl, kind: 'admin' },
    ],
    accessTokenSeconds: tokens.accessTokenSeconds,
    clockToleranceSeconds: tokens.clockToleranceSeconds,
    limits: {
      requestsPerMinute: limits.tokenRequestsPerMinute,
      failuresPerMinute: limits.authenticationFailuresPerMinute,
    },
    nowMs,
    correlationId: (request) => {
      const sent = request.headers['x-request-id']
      return typeof sent === 'string' && /^[A-Za-z0-9][A-Za-z0-9._~:-]{7,63}$/.test(sent)
        ? sent
        : newCorrelationId(nowMs())
    },
    onTokenRefused(refusal) {
      log.info(refusal, 'token request refused')
      const trace = tokenTrace(refusal, authorizationServer.tokenEndpoint)
      traces.record(trace.outcome, () => trace)
    },
    onTokenIssued: (issued) => log.debug(issued, 'token issued'),
    onRegistration: (event) => recordRegistration(event, { adminAudit, log, issuer: url }),
    onError: (error, correlationId) => log.error({ error, correlationId }, 'token request failed'),
  })

  const network: NetworkPolicy = {
    allowLoopback: isLoopback(new URL(url).hostname),
    allowPrivateHosts: 'any',
  }
  const verifier = createTokenVerifier({
    issuers: [
      rfc9068Issuer(url, authorizationServer.keySource),
      ...config.issuers.map((issuer) => issuerOf(issuer, network, nowMs)),
    ],
    clockToleranceSeconds: tokens.clockToleranceSeconds,
    now: () => Math.floor(nowMs() / 1000),
  })

  const onAuditError = (error: unknown, lost: number) => log.error({ error, lost }, 'audit failed')
  const auditOptions = {
    pool: storage.pool,
    mode: auditSettings.mode,
    chainKey: derive('audit chain'),
    onError: onAuditError,
  } as const
  const accessAudit = createAccessAudit(auditOptions)
  // An operator's change that cannot be recorded is not made silently, whatever the mode.
  const adminAudit = createAdminAudit({ ...auditOptions, mode: 'required' })
  const keepSeconds = auditSettings.retentionDays * 86_400
  const retention = startRetention({
    pool: storage.pool,
    keepSeconds: { access: keepSeconds, admin: keepSeconds },
    now: nowMs,
    onError: (error) => log.warn({ error }, 'audit retention failed'),
  })
  const stopKeyRotation = startKeyRotation({
    keys: authorizationServer.signingKeys,
    days: tokens.rotateKeysDays,
    async onRotated({ kid, retired }) {
      log.info({ kid, retired }, 'signing keys rotated')
      await adminAudit.record({
        atMs: nowMs(),
        correlationId: newCorrelationId(nowMs()),
        issuer: url,
        action: 'keys.rotate',
        target: `key/${kid}`,
        decision: 'permitted',
        status: 200,
        detail: { retired, by: `tokens.rotateKeysDays = ${tokens.rotateKeysDays}` },
      })
    },
    onError: (error) => log.error({ error }, 'signing keys could not be rotated'),
  })
  const metrics = createMetrics({
    pool: storage.pool,
    auditLost: () => accessAudit.lost + adminAudit.lost,
  })

  const repository = createFhirRepository({
    storage,
    now: nowMs,
    newId: randomUUID,
    baseUrl: fhirUrl,
    limits: { answerMs: limits.answerSeconds * 1000 },
    onMismatch: (mismatch) => log.warn(mismatch, 'index and resource disagree'),
  })
  const failures = limitFailures(
    createRateLimiter(limits.authenticationFailuresPerMinute, nowMs),
    metrics,
  )
  const { r4 } = settings.fhir
  const fhirEndpoint = createFhirEndpoint({
    baseUrl: fhirUrl,
    backend: repository,
    verifier,
    audiences: r4.audiences,
    issuers: r4.trust.map((trusted) => (trusted === 'self' ? url : trusted)),
    policy: {
      ...DEFAULT_POLICY,
      compartment: r4.compartment,
      userPolicy: r4.userPolicy,
      sharedTypes: { ...DEFAULT_SHARED_TYPES, ...r4.sharedTypes },
      baseUrls: [fhirUrl],
    },
    cursorKey: derive('page links'),
    audit: accessAudit,
    traces,
    smartConfiguration: () =>
      Response.json(authorizationServer.smartConfiguration(fhirUrl), {
        headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'public, max-age=300' },
      }),
    software: { name: 'Scopegate', version },
    oauth: { tokenUrl: authorizationServer.tokenEndpoint },
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
  const health = createHealth(storage.pool)

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
      ],
      storage: {
        kind: storage.embedded ? 'embedded' : 'external',
        serverVersion: `${Math.floor(storage.serverVersion / 10_000)}.${storage.serverVersion % 10_000}`,
      },
      resourceCounts: Object.fromEntries(counts),
      clientCount: clients.filter(({ source }) => source !== 'internal').length,
    }
  }

  const adminApi = createAdminApi({
    url: adminUrl,
    issuer: url,
    verifier,
    clients: authorizationServer.clients,
    registrationTokens: authorizationServer.registrationTokens,
    addresses: {
      issuer: url,
      authorizationEndpoint: `${url}/oauth/authorize`,
      tokenEndpoint: authorizationServer.tokenEndpoint,
      deviceEndpoint: `${url}/oauth/device`,
      fhir: fhirUrl,
    },
    users,
    sessions,
    signingKeys: authorizationServer.signingKeys,
    importer: importerOf(repository),
    traces,
    explainer: fhirEndpoint,
    audit: {
      recordAdmin: async (event) => adminAudit.record(event),
      verify: () => verifyAudits(storage.pool, auditOptions.chainKey),
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
    adminUrl,
    adminApi: { ...adminApi, fetch: failures.guard(countRefused(adminApi.fetch, failures)) },
    health,
    metrics,
    status,
    async close() {
      authorizationServer.close()
      await stopKeyRotation()
      await retention.stop()
      await Promise.allSettled([accessAudit.close(), adminAudit.close(), traces.close()])
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
