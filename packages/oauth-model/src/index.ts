export { ADMIN_SCOPES, type AdminScope, INTROSPECT_SCOPE } from './admin-scopes.ts'
export {
  type CheckedLaunchContext,
  checkLaunchContext,
  type LaunchContextProblem,
} from './check-launch-context.ts'
export type {
  ClientAnswer,
  ClientChange,
  ClientRegistration,
  ClientRegistry,
  ClientSource,
  ClientView,
  ClientWithSecret,
  ConsentMode,
  GrantType,
  NewClient,
} from './client-registry.ts'
export { CONSENT_MODES, GRANT_TYPES } from './client-registry.ts'
export { defaultGrants } from './default-grants.ts'
export { explainByAddress } from './explain-by-address.ts'
export type * from './explainer.ts'
export type * from './grant-directory.ts'
export {
  type FhirContextItem,
  LAUNCH_CONTEXT_MEMBERS,
  type LaunchContext,
} from './launch-context.ts'
export type * from './launches.ts'
export type * from './password-authentication.ts'
export type * from './patient-directory.ts'
export type * from './registration-tokens.ts'
export type {
  ConnectionStatus,
  ConnectionToken,
  FailureKind,
  ProviderMessage,
  TokenFailure,
  TokenSource,
  TokenWish,
} from './token-source.ts'
export { FAILURE_KINDS, TokenUnavailable } from './token-source.ts'
export type * from './verified-token.ts'
