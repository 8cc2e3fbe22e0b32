// What callers meet comes from here too: who has this package needs no other for it.
export {
  type ConnectionStatus,
  type ConnectionToken,
  type TokenFailure,
  type TokenSource,
  TokenUnavailable,
  type TokenWish,
} from '@scopegate/oauth-model'
export { tokenHeaders } from './authentication/token-headers.ts'
export type { BrokerEvent, OnBrokerEvent, RenewalTrigger } from './broker/broker-event.ts'
export { createTokenBroker } from './broker/create-token-broker.ts'
export { findLeaseProblem, LEASE_MARGIN_MS } from './broker/lease-times.ts'
export type {
  ConnectionCounts,
  SignedInGrant,
  TokenBroker,
  TokenBrokerDeps,
} from './broker/token-broker.ts'
export { type TokenKeys, tokenKeysOf, usesRefreshToken } from './broker/token-keys.ts'
export { phaseAt, type TokenPhase, type TokenWindows, windowsOf } from './broker/windows.ts'
export type {
  AssertionProfile,
  BearerAssertion,
  Connection,
  ConnectionAuthentication,
  ConnectionGrant,
  ConnectionTransport,
  ScopePolicy,
  SecretMethod,
  TokenExchangeInput,
} from './connection.ts'
export { ASSERTION_HEADERS, CONNECTION_GRANTS, SCOPE_POLICIES } from './connection.ts'
export { createTokenRequester } from './create-token-requester.ts'
export type * from './interactive/sign-in-requester.ts'
export {
  createSignIns,
  type SignInBegun,
  type SignInCompleted,
  SignInRefused,
  type SignIns,
  type SignInsDeps,
} from './interactive/sign-ins.ts'
export {
  CONNECTION_PRESET_NAMES,
  CONNECTION_PRESETS,
  type ConnectionPresetName,
} from './presets/index.ts'
export type { ConnectionPreset } from './presets/preset.ts'
export {
  connectTokenBroker,
  type RemoteBroker,
  type RemoteBrokerOptions,
} from './remote/connect-token-broker.ts'
export { explainFault } from './request/explain-fault.ts'
export type { RequesterEvent, RequesterOptions } from './request/requester-runtime.ts'
export { explainTokenWarning, TOKEN_WARNINGS, type TokenWarning } from './request/token-warning.ts'
export * from './sidecar/index.ts'
export { createMemoryTokenStore, type MemoryTokenStoreOptions } from './store/memory-token-store.ts'
export {
  createPostgresTokenStore,
  type PostgresTokenStoreDeps,
} from './store/postgres-token-store.ts'
export type * from './store/token-store.ts'
export type {
  DpopKey,
  FetchedToken,
  TokenOutcome,
  TokenRequester,
  TokenTarget,
} from './token-request.ts'
export { decideProxy, type ProxyDecision } from './transport/decide-proxy.ts'
export {
  type Answer as TransportAnswer,
  createTransport,
  type Transport,
} from './transport/transport.ts'
export { algorithmsBeside, chooseAlgorithm } from './written/choose-algorithm.ts'
export {
  type ConnectionCredentials,
  ConnectionError,
  compileConnection,
} from './written/compile-connection.ts'
export { findConnectionProblems } from './written/find-connection-problems.ts'
export type {
  ConnectionProblem,
  CredentialsPresent,
  WrittenConnection,
} from './written/written-connection.ts'
