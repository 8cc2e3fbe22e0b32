import type { IncomingMessage } from 'node:http'
import {
  type AuthorizationServer,
  type AuthorizationServerDeps,
  createAuthorizationServer,
} from '@scopegate/authorization-server'
import { newCorrelationId } from '@scopegate/http'
import type { Storage } from '@scopegate/storage'
import { CONNECTIONS_SCOPE, SIDECAR_PATH } from '@scopegate/token-broker'
import type { UsedProofs } from '@scopegate/token-verify'
import { opensToCallers } from '../config/check-clients.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'
import { recordRegistration } from '../operations/record-registration.ts'
import { recordRevocation } from '../operations/record-revocation.ts'
import { startKeyRotation } from '../operations/start-key-rotation.ts'
import { tokenTrace } from '../token-trace.ts'
import type { Addresses } from './addresses.ts'
import type { Audits } from './audits.ts'
import type { Keys } from './keys.ts'
import type { People } from './people.ts'
import { wireTokenExchange } from './token-exchange.ts'

export interface AuthorizationDeps {
  readonly config: Config
  readonly addresses: Addresses
  readonly storage: Storage
  readonly keys: Keys
  readonly audits: Audits
  readonly people: People
  /** Whom limits count for. */
  readonly clientAddress: (request: IncomingMessage) => string
  readonly usedProofs: UsedProofs
  readonly log: Logger
  readonly nowMs: () => number
  readonly endAppSession: NonNullable<AuthorizationServerDeps['endAppSession']>
}

export interface WiredAuthorization {
  readonly authorizationServer: AuthorizationServer
  close(): Promise<void>
}

const DAY_SECONDS = 86_400

export async function wireAuthorization(deps: AuthorizationDeps): Promise<WiredAuthorization> {
  const { config, addresses, storage, keys, audits, people, log, nowMs } = deps
  const { tokens, limits, launches } = config.settings
  const { url } = config
  const { adminAudit, traces } = audits
  const authorizationServer = await createAuthorizationServer({
    storage,
    sealer: keys.sealer,
    deriveKey: keys.derive,
    issuer: url,
    signIn: people.signIn,
    resources: [
      { url: addresses.fhirUrl, kind: 'fhir' },
      { url: addresses.adminUrl, kind: 'admin' },
      ...config.apis.map(({ path, scopes }) => ({
        url: `${url}${path}`,
        kind: 'api' as const,
        scopes,
      })),
      ...config.settings.connections.filter(opensToCallers).map(({ name }) => ({
        url: `${url}${SIDECAR_PATH}/${name}`,
        kind: 'api' as const,
        scopes: [{ scope: CONNECTIONS_SCOPE, title: 'Use connections of this server' }],
      })),
    ],
    accessTokenSeconds: tokens.accessTokenSeconds,
    userAccessTokenSeconds: tokens.userAccessTokenSeconds,
    refreshTokenSeconds: tokens.refreshTokenDays * DAY_SECONDS,
    refreshGraceSeconds: tokens.refreshGraceSeconds,
    openidOnClientCredentials: tokens.openidOnClientCredentials,
    launchSeconds: launches.seconds,
    tokenExchange: wireTokenExchange(config, addresses.fhirUrl, nowMs),
    clockToleranceSeconds: tokens.clockToleranceSeconds,
    limits: {
      requestsPerMinute: limits.tokenRequestsPerMinute,
      failuresPerMinute: limits.authenticationFailuresPerMinute,
      startsPerMinute: limits.signInStartsPerMinute,
    },
    nowMs,
    clientAddress: deps.clientAddress,
    callers: config.settings.explain.callers,
    usedProofs: deps.usedProofs,
    correlationId: (request) => {
      const sent = request.headers['x-request-id']
      return typeof sent === 'string' && /^[A-Za-z0-9][A-Za-z0-9._~:-]{7,63}$/.test(sent)
        ? sent
        : newCorrelationId(nowMs())
    },
    endAppSession: deps.endAppSession,
    onTokenRefused(refusal) {
      log.info(refusal, 'token request refused')
      const trace = tokenTrace(refusal, authorizationServer.tokenEndpoint)
      traces.record(trace.outcome, () => trace)
    },
    onTokenIssued: (issued) => log.debug(issued, 'token issued'),
    onTokenRevoked: (revoked) => recordRevocation(revoked, { adminAudit, log, issuer: url }),
    onRegistration: (event) => recordRegistration(event, { adminAudit, log, issuer: url }),
    onError: (error, correlationId) => log.error({ error, correlationId }, 'token request failed'),
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
  return {
    authorizationServer,
    async close() {
      authorizationServer.close()
      await stopKeyRotation()
    },
  }
}
