import type { Connection } from '@scopegate/token-broker'

/** A connection as compiled, with what a test wants otherwise. */
export function testConnection(changes: Partial<Connection> = {}): Connection {
  return {
    name: 'lab',
    preset: 'generic',
    grant: 'client_credentials',
    issuerAliases: [],
    metadataUrls: [],
    tokenEndpoint: 'https://idp.example/token',
    clientId: 'lab-reader',
    authentication: { method: 'client_secret_basic', secrets: () => ['not-so-secret'] },
    scopes: ['system/Observation.rs', 'system/Patient.r'],
    scopePolicy: 'warn',
    strippedScopes: [],
    parameters: {},
    authorizationParameters: {},
    dpop: false,
    transport: { timeoutMs: 10_000, proxy: 'none', allowPlain: false },
    defaultLifetimeSeconds: 300,
    keepAliveSeconds: 0,
    callers: [],
    revision: 'r1',
    credentialVersion: () => 'v1',
    ...changes,
  }
}
